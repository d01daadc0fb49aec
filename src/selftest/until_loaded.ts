import type { Sql } from "../database/connect.ts";
import { loadFiles } from "../sink/ledger.ts";
import { findPipeline } from "../sink/pipeline_binding.ts";
import { scanFolder } from "../source/folder_scan.ts";
import type { Life } from "./life.ts";
import type { TestedPipeline } from "./selftest_ground.ts";

const POLL_MS = 20;
const DEADLINE_MS = 60_000;

/**
 * Waits until the ledger has every file of the folder to its end.
 * @param options.session not longer than until this one, from 1, has nothing left to do
 * @returns false if that did not come, or the ingester ended
 */
export async function untilLoaded(
  sql: Sql,
  { pipeline, life, session = Infinity }: {
    pipeline: TestedPipeline;
    life: Life;
    session?: number;
  },
): Promise<boolean> {
  let isOver = false;
  life.ended.then(() => isOver = true);
  const deadlineMs = performance.now() + DEADLINE_MS;
  for (;;) {
    // asked before the look at the ledger, which then shows all that it did
    const isLastLook = isOver || life.quietSession >= session || performance.now() > deadlineMs;
    if (await isLoaded(sql, pipeline)) return true;
    if (isLastLook) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function isLoaded(sql: Sql, pipeline: TestedPipeline): Promise<boolean> {
  const known = await findPipeline(sql, pipeline.name);
  if (known === null) return false;
  const ledger = await loadFiles(sql, known.pipelineId);
  const files = await scanFolder(pipeline.directory);
  return files.every(({ path, sizeBytes }) => ledger.get(path)?.committedByte === sizeBytes);
}
