/** What is told of a watched pipeline, in words and numbers, whether drawn or as lines. */
import { type Activity, activityOf } from "../status/activity.ts";
import type { Backlog } from "../status/status_report.ts";
import type { PipelinePicture, Second, WatchPicture } from "../status/watch_picture.ts";
import { formatBytes, formatCount, formatDuration } from "./number_format.ts";

/** What is shown as the rate of now is over so much of the past: batches come by the second. */
const NOW_SECONDS = 5;

export type SecondFact = keyof Second;

/** A second, over the last seconds. */
export function rateNow({ past }: PipelinePicture, fact: SecondFact): number {
  return mean(past.slice(-NOW_SECONDS), fact);
}

/** A second, over the last minute. */
export function meanRate({ past }: PipelinePicture, fact: SecondFact): number {
  return mean(past, fact);
}

function mean(seconds: readonly Second[], fact: SecondFact): number {
  if (seconds.length === 0) return 0;
  return seconds.reduce((sum, second) => sum + second[fact], 0) / seconds.length;
}

/** As in `0.2/s`; what is less than ten has a decimal. */
export function perSecond(rate: number): string {
  const isSmall = rate > 0 && rate < 9.95;
  return `${isSmall ? Math.max(0.1, rate).toFixed(1) : formatCount(rate)}/s`;
}

export function bytesPerSecond(rate: number): string {
  return `${formatBytes(Math.round(rate))}/s`;
}

export function isIdle(activity: Activity): boolean {
  return activity !== "loading";
}

/** What it is doing; if that is nothing, why. */
export function activityText(pipeline: PipelinePicture, atMs: number): string {
  const { lastBatchAtMs, folder, totals } = pipeline;
  const waiting = folder?.backlog?.files ?? 0;
  const since = lastBatchAtMs === null
    ? "nothing is committed yet"
    : `nothing is committed for ${formatDuration(Math.max(0, atMs - lastBatchAtMs))}`;
  switch (activityOf(pipeline, atMs)) {
    case "loading":
      return "loading";
    case "nothing-yet":
      return "idle: no file has come yet";
    case "caught-up":
      return `idle: nothing new since ${clockTime(lastBatchAtMs!)} ` +
        `(${formatDuration(Math.max(0, atMs - lastBatchAtMs!))})`;
    case "no-ingester":
      return `idle: no ingester is running${waiting === 0 ? "" : `; ${filesWait(waiting)}`}`;
    case "all-failed":
      return `idle: ${troubleText(totals?.filesByState)}; see \`pgsluice files list\``;
    case "unfinished":
      return `idle: ${filesWait(waiting)} for --settle: the last record has no newline yet`;
    case "stuck":
      return `stuck: ${since}, and ${filesWait(waiting)}; the ingester's log tells why`;
    case "unseen":
      return `idle: ${since}`;
  }
}

function filesWait(count: number): string {
  return count === 1 ? "1 file waits" : `${formatCount(count)} files wait`;
}

function troubleText(counts: { failed?: number; held?: number } | undefined): string {
  const { failed = 0, held = 0 } = counts ?? {};
  return [
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(held > 0 ? [`${formatCount(held)} held`] : []),
  ].join(" and ") + `, and there is no other file`;
}

export function ownerText({ hasOwner }: PipelinePicture): string {
  return hasOwner ? "an ingester is at work" : "no ingester is running";
}

export function standbyText({ standbys }: WatchPicture): string | null {
  if (standbys === 0) return null;
  return standbys === 1 ? "1 ingester stands by" : `${formatCount(standbys)} ingesters stand by`;
}

export function backlogText({ folder }: PipelinePicture, atMs: number): string {
  if (folder === null) return "looking";
  if (folder.backlog === null) return `unknown: ${folder.backlogUnknown}`;
  return shortBacklog(folder.backlog, atMs);
}

function shortBacklog({ files, sizeBytes, oldestChangeMs }: Backlog, atMs: number): string {
  if (files === 0) return "none";
  return `${formatCount(files)} ${files === 1 ? "file" : "files"}, ${formatBytes(sizeBytes)}, ` +
    `the oldest changed ${formatDuration(Math.max(0, atMs - oldestChangeMs!))} ago`;
}

/** As in `12:03:20`, UTC. */
export function clockTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 19);
}

/** As in `2026-03-14T12:03:20Z`. */
export function instant(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}
