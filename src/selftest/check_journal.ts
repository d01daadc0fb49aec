import { join } from "@std/path";
import { compareJournal } from "../checkpoint/compare_journal.ts";
import { readJournal } from "../checkpoint/read_journal.ts";
import type { Sql } from "../database/connect.ts";
import { loadFiles } from "../sink/ledger.ts";
import { findPipeline } from "../sink/pipeline_binding.ts";
import type { TestedPipeline } from "./selftest_ground.ts";

/** How a life of the ingester ended, which decides what its journal may look like. */
export type LifeEnd =
  /** It was killed: the last line may be cut short, what came last may be missing. */
  | "killed"
  /** Something had failed: it may lag. */
  | "faulty"
  /** It ended by itself, with nothing amiss: it must be whole and level with the ledger. */
  | "clean";

/** Journals are whole and never ahead of the ledger. @returns what is not so, as sentences */
export async function checkJournal(
  sql: Sql,
  { pipeline, end }: { pipeline: TestedPipeline; end: LifeEnd },
): Promise<string[]> {
  const found = await readJournal(join(pipeline.checkpointsDirectory, pipeline.name));
  if (found.kind === "damaged") return [`the journal is damaged: ${found.reason}`];
  if (found.kind === "newer") return [`the journal has another format: ${found.format}`];
  if (found.kind === "missing") return end === "clean" ? ["there is no journal"] : [];
  const known = await findPipeline(sql, pipeline.name);
  if (known === null) return ["there is a journal of a pipeline that the ledger does not have"];
  const standing = compareJournal(found.content, await loadFiles(sql, known.pipelineId));
  const wrong: string[] = [];
  if (standing.kind === "ahead") {
    wrong.push(
      `the journal is ahead of the ledger: ${standing.files} files, ${standing.bytes} bytes`,
    );
  }
  if (standing.kind === "behind" && end === "clean") {
    wrong.push(`the journal is behind the ledger: ${standing.files} files`);
  }
  if (found.content.isTorn && end === "clean") wrong.push("the journal's last line is cut short");
  return wrong;
}
