/** What the page is told of a picture of the pipelines. */
import { activityOf } from "../status/activity.ts";
import { PAST_SECONDS, type Second, type WatchPicture } from "../status/watch_picture.ts";
import type { Pulse, Totals } from "./dashboard_facts.ts";

const NOTHING: Second = { records: 0, sizeBytes: 0, rejected: 0, duplicate: 0, batches: 0 };

/** @param picture of one pipeline, which may not be there yet; null without a ledger */
export function pulseFacts(
  picture: WatchPicture | null,
  { viewers, nowMs }: { viewers: number; nowMs: number },
): Pulse {
  const [found] = picture?.pipelines ?? [];
  const atMs = picture?.atMs ?? nowMs;
  return {
    atMs,
    pipeline: found === undefined ? null : {
      name: found.name,
      sourceKind: found.sourceKind,
      sourcePath: found.sourcePath,
      targetTable: found.targetTable,
      timeZone: found.timeZone,
      hasOwner: found.hasOwner,
      lastBatchAtMs: found.lastBatchAtMs,
      activity: activityOf(found, atMs),
    },
    otherNames: picture?.otherNames ?? [],
    standbys: picture?.standbys ?? 0,
    past: found?.past ?? Array.from({ length: PAST_SECONDS }, () => NOTHING),
    viewers,
  };
}

/** @returns null until they have been counted */
export function totalsFacts(
  picture: WatchPicture | null,
  { arrivedBytesPerSecond }: { arrivedBytesPerSecond: number | null },
): Totals | null {
  const [found] = picture?.pipelines ?? [];
  if (picture === null || found?.totals == null) return null;
  const { latency } = found.totals;
  return {
    lookedAtMs: picture.atMs,
    loaded: found.totals.loaded,
    rejected: found.totals.rejected,
    duplicate: found.totals.duplicate,
    committedBytes: found.totals.committedBytes,
    filesByState: found.totals.filesByState,
    latency: latency === null ? null : {
      files: latency.files,
      p50Ms: latency.medianMs,
      p95Ms: latency.p95Ms,
      p99Ms: latency.p99Ms,
    },
    backlog: found.folder?.backlog ?? null,
    backlogUnknown: found.folder?.backlogUnknown ?? null,
    arrivedBytesPerSecond,
    recentBatches: found.totals.recentBatches,
  };
}
