/** `status --watch` where no screen is: a line a pipeline, for people or as JSON. */
import { activityOf } from "../status/activity.ts";
import type { WatchView } from "../status/status_watch.ts";
import type { PipelinePicture, Totals } from "../status/watch_picture.ts";
import { escapeControls } from "../escape_controls.ts";
import { formatCount, formatDuration } from "./number_format.ts";
import {
  activityText,
  backlogText,
  bytesPerSecond,
  instant,
  meanRate,
  perSecond,
  rateNow,
} from "./status_watch_facts.ts";

/** An older picture is said to be old. */
const OLD_MS = 1_000;

const NO_TOTALS: Readonly<Record<keyof Totals, null>> = {
  loaded: null,
  rejected: null,
  duplicate: null,
  committedBytes: null,
  filesByState: null,
  rejectCodes: null,
  latency: null,
  recentBatches: null,
};

/** The gist of a pipeline, without a time. */
export function pipelineLine(pipeline: PipelinePicture, atMs: number): string {
  const { name, totals, journal } = pipeline;
  const parts = [
    `${name}: ${perSecond(rateNow(pipeline, "records")).replace("/s", " records/s")}`,
    bytesPerSecond(rateNow(pipeline, "sizeBytes")),
    ...(totals === null ? [] : [
      `${formatCount(totals.loaded)} loaded, ${formatCount(totals.rejected)} rejected, ` +
      `${formatCount(totals.duplicate)} duplicates`,
    ]),
    `backlog ${backlogText(pipeline, atMs)}`,
    activityText(pipeline, atMs),
    ...(journal === null || journal.kind === "level" ? [] : [`journal ${journal.kind}`]),
  ];
  return escapeControls(parts.join("; "));
}

/** Each ends in a newline. */
export function textLines({ picture, outage, ageMs }: WatchView, nowMs: number): string {
  if (outage !== null) {
    return `${instant(nowMs)} database away for ${formatDuration(outage.awayMs)}: ` +
      `${escapeControls(outage.reason)}\n`;
  }
  if (picture === null || picture.pipelines.length === 0) {
    return `${instant(nowMs)} nothing is loaded yet: start with \`pgsluice ingest\`\n`;
  }
  const { atMs, pipelines } = picture;
  const age = ageMs < OLD_MS ? "" : `, how it was ${formatDuration(ageMs)} ago`;
  return pipelines
    .map((pipeline) => `${instant(atMs)}${age} ${pipelineLine(pipeline, atMs)}\n`)
    .join("");
}

/** One object a line: a pipeline, or an outage; nothing while there is no pipeline. */
export function jsonLines({ picture, outage, ageMs }: WatchView, nowMs: number): string {
  if (outage !== null) return `${JSON.stringify({ atMs: nowMs, outage })}\n`;
  if (picture === null) return "";
  const { atMs, standbys, pipelines } = picture;
  return pipelines.map((pipeline) => {
    const { pipelineId: _, sourceHost: _host, past: _past, totals, folder, ...facts } = pipeline;
    return `${
      JSON.stringify({
        atMs,
        ageMs,
        ...facts,
        standbys,
        activity: activityOf(pipeline, atMs),
        activityText: activityText(pipeline, atMs),
        now: rates(pipeline, rateNow),
        lastMinute: rates(pipeline, meanRate),
        ...totals ?? NO_TOTALS,
        backlog: folder?.backlog ?? null,
        backlogUnknown: folder?.backlogUnknown ?? null,
      })
    }\n`;
  }).join("");
}

function rates(
  pipeline: PipelinePicture,
  rate: typeof rateNow,
): Readonly<Record<string, number>> {
  return {
    recordsPerSecond: rate(pipeline, "records"),
    bytesPerSecond: rate(pipeline, "sizeBytes"),
    rejectsPerSecond: rate(pipeline, "rejected"),
    duplicatesPerSecond: rate(pipeline, "duplicate"),
    batchesPerSecond: rate(pipeline, "batches"),
  };
}
