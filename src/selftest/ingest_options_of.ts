import type { IngestOptions } from "../pipeline/ingest_options.ts";
import { USER_EVENTS } from "../schema/user_events.ts";
import type { TestedPipeline } from "./selftest_ground.ts";

/** Rows in a batch: few, so that little input makes many batches. */
export const BATCH_ROWS = 20;

/** How the campaigns ingest. */
export function ingestOptions(
  pipeline: TestedPipeline,
  change:
    & Pick<IngestOptions, "target" | "signal">
    & Partial<Pick<IngestOptions, "probe" | "connections">>
    & { readonly once?: boolean; readonly archive?: boolean },
): IngestOptions {
  const { once = true, archive = false, ...rest } = change;
  return {
    connections: 2,
    ...rest,
    schema: USER_EVENTS,
    table: pipeline.table,
    pipelineName: pipeline.name,
    source: {
      kind: "folder",
      directory: pipeline.directory,
      once,
      recursive: false,
      after: archive ? { kind: "archive", directory: pipeline.archiveDirectory } : { kind: "keep" },
      onReplaced: "hold",
      fromNow: false,
    },
    timeZone: "UTC",
    maxRecordBytes: 1024 * 1024,
    limits: { rows: BATCH_ROWS, sizeBytes: 4 * 1024 * 1024, lingerMs: 0 },
    maxRejects: null,
    settleMs: 0,
    noWait: false,
    checkpointsDirectory: pipeline.checkpointsDirectory,
    // a life is short, and a merge is to be among what is killed
    times: { mergeMs: 20 },
  };
}
