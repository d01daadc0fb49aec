/** What `status --watch` draws: as many lines as there are rows at most, none wider than the screen. */
import type { PipelinePicture, WatchPicture } from "../status/watch_picture.ts";
import type { WatchView } from "../status/status_watch.ts";
import { displayWidth } from "./display_width.ts";
import { escapeControls } from "../escape_controls.ts";
import { fitWidth } from "./fit_width.ts";
import { formatCount, formatDuration } from "./number_format.ts";
import { instant, standbyText } from "./status_watch_facts.ts";
import { pipelineLine } from "./status_watch_line.ts";
import { pipelineLines, type ScreenLine } from "./status_watch_pipeline.ts";

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Blank lines between pipelines are the first to go. */
const BLANK_RANK = 14;
/** A picture is old when it missed so many intervals. */
const OLD_INTERVALS = 3;

/** @param options.intervalMs how often there should be a new picture */
export function frameLines(
  view: WatchView,
  { size, intervalMs }: { size: ScreenSize; intervalMs: number },
): readonly ScreenLine[] {
  // what is written to the last column makes some terminals erase it, others wrap
  const columns = Math.max(1, size.columns - 1);
  const { picture } = view;
  const top = topLines(view, { columns, intervalMs });
  const room = Math.max(0, size.rows - top.length);
  const below = picture === null ? [nothingYet()] : pipelinesIn(picture, { columns, room });
  return [...top, ...below]
    .slice(0, Math.max(1, size.rows))
    .map(({ text, tone }) => ({ text: fitWidth(text, columns), tone }));
}

function nothingYet(): ScreenLine {
  return { tone: "notice", text: "nothing is loaded yet: start with `pgsluice ingest`" };
}

function topLines(
  { picture, ageMs, outage }: WatchView,
  { columns, intervalMs }: { columns: number; intervalMs: number },
): ScreenLine[] {
  const standbys = picture === null ? null : standbyText(picture);
  const age = picture === null ? "" : `; this is how it was ${formatDuration(ageMs)} ago`;
  const lines: ScreenLine[] = [{
    tone: "dim",
    text: [
      "pgsluice status",
      ...(picture === null ? [] : [instant(picture.atMs)]),
      ...(standbys === null ? [] : [standbys]),
      "Ctrl-C ends",
    ].join("  "),
  }];
  if (outage !== null) {
    const reason = escapeControls(outage.reason);
    const away = formatDuration(outage.awayMs);
    lines.push({ tone: "alarm", text: `database away for ${away}, trying again${age}` });
    lines.push({ tone: "alarm", text: fitEnd(reason, columns) });
  } else if (ageMs > OLD_INTERVALS * intervalMs) {
    lines.push({ tone: "notice", text: `the database takes its time${age}` });
  }
  return lines;
}

/** As much of every pipeline as fits; one line of each where that is too much; or the first ones. */
function pipelinesIn(
  { pipelines, atMs }: WatchPicture,
  { columns, room }: { columns: number; room: number },
): readonly ScreenLine[] {
  if (pipelines.length === 0) return [nothingYet()];
  const blocks = pipelines.map((pipeline) => pipelineLines(pipeline, { atMs, columns }));
  for (let rank = BLANK_RANK; rank > 1; rank--) {
    const lines = blocks.flatMap((block, index): ScreenLine[] => [
      ...(rank === BLANK_RANK && index > 0 ? [{ text: "", tone: "plain" as const }] : []),
      ...block.filter((line) => line.rank <= rank),
    ]);
    if (lines.length <= room) return lines;
  }
  return shortLines(pipelines, { atMs, room });
}

function shortLines(
  pipelines: readonly PipelinePicture[],
  { atMs, room }: { atMs: number; room: number },
): readonly ScreenLine[] {
  const shown = pipelines.length <= room ? pipelines.length : Math.max(0, room - 1);
  const lines = pipelines.slice(0, shown).map((pipeline): ScreenLine => ({
    tone: "plain",
    text: pipelineLine(pipeline, atMs),
  }));
  if (shown === pipelines.length) return lines;
  const left = formatCount(pipelines.length - shown);
  return [...lines, { tone: "dim", text: `… and ${left} more pipelines` }];
}

/** The text without its beginning, where it is too wide: what went wrong is said at the end. */
function fitEnd(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = text;
  while (kept !== "" && displayWidth(kept) > width - 1) kept = kept.slice(1);
  return `…${kept}`;
}
