/** One pipeline of `status --watch` as lines of a screen, each with what it is worth. */
import { activityOf } from "../status/activity.ts";
import type { RecentBatches } from "../status/recent_batches.ts";
import { FILE_STATES } from "../sink/ledger_file.ts";
import type { PipelinePicture, Totals } from "../status/watch_picture.ts";
import { escapeControls } from "../escape_controls.ts";
import { formatBytes, formatCount, formatDuration } from "./number_format.ts";
import { sparkline } from "./sparkline.ts";
import {
  activityText,
  backlogText,
  bytesPerSecond,
  isIdle,
  meanRate,
  ownerText,
  perSecond,
  rateNow,
} from "./status_watch_facts.ts";

export type Tone = "head" | "plain" | "dim" | "notice" | "alarm";

export interface ScreenLine {
  readonly text: string;
  readonly tone: Tone;
}

/** A line of a pipeline. Where there is no room for all, those of the highest rank go first. */
export interface RankedLine extends ScreenLine {
  readonly rank: number;
}

/** Of the names at the left. */
const LABEL_WIDTH = 11;
/** Of the rates before sparklines, as in `1,234,567/s` or `1023.9 MiB/s`. */
const RATE_WIDTH = 13;
/** A sparkline of fewer seconds says nothing. */
const LEAST_SPARK_WIDTH = 10;
const MOST_SPARK_WIDTH = 60;
const STAGE_BAR_WIDTH = 20;
/** Codes of rejects that are named. */
const NAMED_CODES = 4;

/** One a stage, in their order: read, decode, queue, copy, turn, ledger, commit. */
const STAGE_GLYPHS = ["░", "▒", "·", "█", "-", "▓", "="] as const;

/**
 * In the order in which they are shown.
 * @param options.columns so wide is the screen; only sparklines are made to measure
 */
export function pipelineLines(
  pipeline: PipelinePicture,
  { atMs, columns }: { atMs: number; columns: number },
): readonly RankedLine[] {
  const { totals } = pipeline;
  const spark = (fact: "records" | "sizeBytes", format: (rate: number) => string) =>
    rateLine(pipeline, { fact, format, columns });
  return [
    { rank: 1, tone: "head", text: headText(pipeline) },
    labelled(2, "now", activityText(pipeline, atMs), activityTone(pipeline, atMs)),
    labelled(3, "records", spark("records", perSecond)),
    labelled(8, "bytes", spark("sizeBytes", bytesPerSecond)),
    labelled(4, "backlog", backlogText(pipeline, atMs)),
    labelled(11, "latency", latencyText(totals)),
    labelled(9, "loaded", loadedText(totals)),
    labelled(5, "rejects", rejectsText(pipeline), (totals?.rejected ?? 0) > 0 ? "notice" : "plain"),
    labelled(10, "duplicates", countText(pipeline, "duplicate")),
    labelled(6, "files", filesText(totals)),
    labelled(12, "batches", batchesText(pipeline)),
    labelled(7, "stages", stagesText(totals?.recentBatches ?? null)),
    journalLine(pipeline),
  ];
}

function labelled(rank: number, label: string, text: string, tone: Tone = "plain"): RankedLine {
  return { rank, tone, text: escapeControls(label.padEnd(LABEL_WIDTH) + text) };
}

function headText(pipeline: PipelinePicture): string {
  const { name, sourceKind, sourcePath, targetTable } = pipeline;
  const source = sourceKind === "stdin" ? "standard input" : sourcePath;
  return escapeControls(
    `pipeline ${name}: ${ownerText(pipeline)}; ${source} → ${targetTable}`,
  );
}

function activityTone(pipeline: PipelinePicture, atMs: number): Tone {
  const activity = activityOf(pipeline, atMs);
  if (activity === "stuck" || activity === "all-failed") return "alarm";
  return isIdle(activity) ? "notice" : "plain";
}

/** The rate of now, the last seconds as a sparkline, and the mean of all of them. */
function rateLine(
  pipeline: PipelinePicture,
  { fact, format, columns }: {
    fact: "records" | "sizeBytes";
    format: (rate: number) => string;
    columns: number;
  },
): string {
  const rate = format(rateNow(pipeline, fact)).padEnd(RATE_WIDTH);
  const mean = `  mean ${format(meanRate(pipeline, fact))}`;
  // as wide for every rate, so that lines below each other show the same seconds
  const left = columns - LABEL_WIDTH - RATE_WIDTH - 1;
  const besideMean = left - "  mean ".length - RATE_WIDTH;
  const width = Math.min(
    MOST_SPARK_WIDTH,
    besideMean >= LEAST_SPARK_WIDTH ? besideMean : left,
  );
  if (width < LEAST_SPARK_WIDTH) return rate.trimEnd();
  const seconds = pipeline.past.map((second) => second[fact]).slice(-width);
  return `${rate} ${sparkline(seconds)}${besideMean >= LEAST_SPARK_WIDTH ? mean : ""}`;
}

function latencyText(totals: Totals | null): string {
  if (totals?.latency == null) return totals === null ? "counting" : "none in the last minute";
  const { medianMs, p95Ms } = totals.latency;
  return `median ${formatDuration(medianMs)}, 95 % within ${
    formatDuration(p95Ms)
  }, from a file's ` +
    "last change to its commit";
}

function loadedText(totals: Totals | null): string {
  if (totals === null) return "counting";
  return `${formatCount(totals.loaded)} records, ${formatBytes(totals.committedBytes)} committed`;
}

function countText(pipeline: PipelinePicture, fact: "rejected" | "duplicate"): string {
  const count = pipeline.totals === null ? "counting" : formatCount(pipeline.totals[fact]);
  return `${count}, ${perSecond(rateNow(pipeline, fact))}`;
}

function rejectsText(pipeline: PipelinePicture): string {
  const codes = pipeline.totals?.rejectCodes ?? [];
  const counted = codes.reduce((sum, { count }) => sum + count, 0);
  const named = codes.slice(0, NAMED_CODES)
    .map(({ code, count }) => `${code} ${formatCount(count)}`);
  if (codes.length > NAMED_CODES) named.push("…");
  const ofNewest = named.length === 0
    ? ""
    : `; newest ${formatCount(counted)}: ${named.join(", ")}`;
  return countText(pipeline, "rejected") + ofNewest;
}

function filesText(totals: Totals | null): string {
  if (totals === null) return "counting";
  const counts = FILE_STATES
    .map((state) => ({ state, count: totals.filesByState[state] ?? 0 }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${formatCount(count)} ${state}`);
  return counts.length === 0 ? "none" : counts.join(", ");
}

function batchesText(pipeline: PipelinePicture): string {
  const rate = perSecond(rateNow(pipeline, "batches"));
  const recent = pipeline.totals?.recentBatches ?? null;
  if (recent === null) return rate;
  const { batches, meanRecords, connections } = recent;
  return `${rate}; last ${formatCount(batches)}: ${formatCount(meanRecords)} records each, ` +
    `${connections} ${connections === 1 ? "connection" : "connections"}`;
}

/** A bar of all stages, and after it what each is. */
function stagesText(recent: RecentBatches | null): string {
  if (recent === null) return "none yet";
  const { stages } = recent;
  let upTo = 0;
  const bar = stages.map(({ share }, index) => {
    const from = Math.round(upTo * STAGE_BAR_WIDTH);
    upTo += share;
    return STAGE_GLYPHS[index]!.repeat(Math.round(upTo * STAGE_BAR_WIDTH) - from);
  }).join("");
  const legend = stages
    .map((stage, index) => ({ ...stage, glyph: STAGE_GLYPHS[index]! }))
    .sort((a, b) => b.share - a.share)
    .map(({ stage, glyph, share }) => `${glyph} ${stage} ${Math.round(share * 100)} %`);
  return `${bar.padEnd(STAGE_BAR_WIDTH)} ${legend.join("  ")}`;
}

function journalLine({ journal }: PipelinePicture): RankedLine {
  if (journal === null) return labelled(13, "journal", "not looked at");
  if (journal.kind === "level") return labelled(13, "journal", journal.detail);
  return labelled(2, "journal", `${journal.kind}: ${journal.detail}`, "alarm");
}
