import { connect } from "../database/connect.ts";
import type { DatabaseTarget } from "../database/database_target.ts";
import { databaseError, isConnectionError, sqlState } from "../database/fault.ts";
import { readStatus } from "../status/read_status.ts";
import type { StatusReport } from "../status/status_report.ts";

/** Of each pipeline, and only such as are not done; `filesByState` counts all. */
const LISTED_FILES = 100;

/**
 * What `pgsluice status --json` tells of a pipeline, but for its journal, which the ingester that
 * serves this writes itself, and with few of its files.
 *
 * @returns a question that takes a connection of its own each time, and lets go of it when its
 * signal is aborted
 */
export function askStatus(
  { target, pipeline }: { target: DatabaseTarget; pipeline: string },
): (signal: AbortSignal) => Promise<StatusReport> {
  return async (signal) => {
    const client = await connect(target, { applicationName: "pgsluice status" });
    const drop = () => client.destroy();
    signal.addEventListener("abort", drop);
    try {
      signal.throwIfAborted();
      const report = await readStatus(client.sql, { pipeline });
      return withFewFiles(report ?? { atMs: Date.now(), pipelines: [] });
    } catch (error) {
      signal.throwIfAborted(); // why it was dropped says more than that it was
      const isOfDatabase = sqlState(error) !== undefined || isConnectionError(error);
      throw isOfDatabase ? databaseError(error, "reading the status") : error;
    } finally {
      signal.removeEventListener("abort", drop);
      await client.close();
    }
  };
}

function withFewFiles(report: StatusReport): StatusReport {
  return {
    ...report,
    pipelines: report.pipelines.map((pipeline) => ({
      ...pipeline,
      files: pipeline.files
        .filter(({ state }) => state !== "done" && state !== "same")
        .slice(0, LISTED_FILES),
    })),
  };
}
