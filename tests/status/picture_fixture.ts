/** A picture of a pipeline as it may be, for tests of what is made of it. */
import type { WatchView } from "../../src/status/status_watch.ts";
import {
  PAST_SECONDS,
  type PipelinePicture,
  type Second,
  type Totals,
} from "../../src/status/watch_picture.ts";

export const AT_MS = Date.UTC(2026, 2, 14, 10, 22, 31);

const STAGES = [
  ["read", 0.05],
  ["decode", 0.1],
  ["queue", 0],
  ["copy", 0.5],
  ["turn", 0.05],
  ["ledger", 0.2],
  ["commit", 0.1],
] as const;

export const TOTALS: Totals = {
  loaded: 1_234_567,
  rejected: 123,
  duplicate: 12,
  committedBytes: 146_800_640,
  filesByState: { done: 98, open: 1, failed: 2 },
  rejectCodes: [{ code: "bad_price", count: 100 }, { code: "bad_uuid", count: 23 }],
  latency: { files: 40, medianMs: 850, p95Ms: 2_100, p99Ms: 2_400 },
  recentBatches: {
    batches: 100,
    meanRecords: 1_543,
    connections: 2,
    stages: STAGES.map(([stage, share]) => ({ stage, share, meanMs: share * 100 })),
  },
};

/** Rises from nothing to 1,180 records in the last of the 60 seconds. */
export function risingSeconds(): Second[] {
  return Array.from({ length: PAST_SECONDS }, (_, index) => ({
    records: index * 20,
    sizeBytes: index * 2_000,
    rejected: index < 59 ? 0 : 1,
    duplicate: 0,
    batches: index < 30 ? 0 : 8,
  }));
}

export function pipelinePicture(change: Partial<PipelinePicture> = {}): PipelinePicture {
  return {
    pipelineId: 1,
    name: "default",
    sourceKind: "folder",
    sourceHost: "here",
    sourcePath: "/data/events",
    targetTable: '"user_events"',
    timeZone: "UTC",
    hasOwner: true,
    lastBatchAtMs: AT_MS - 500,
    past: risingSeconds(),
    totals: TOTALS,
    folder: {
      lookedAtMs: AT_MS - 100,
      backlog: { files: 12, sizeBytes: 15_204_352, oldestChangeMs: AT_MS - 3_200 },
      backlogUnknown: null,
      arrivedBytes: 162_004_992,
      isUnfinished: false,
    },
    journal: {
      kind: "level",
      detail: "level with the database",
      hint: null,
      directory: "/checkpoints/default",
      filesDiffering: 0,
    },
    ...change,
  };
}

export function viewOf(
  pipelines: readonly PipelinePicture[],
  change: Partial<WatchView> = {},
): WatchView {
  return {
    picture: { atMs: AT_MS, standbys: 0, pipelines, otherNames: [] },
    ageMs: 20,
    outage: null,
    ...change,
  };
}
