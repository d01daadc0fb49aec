import { join } from "@std/path";
import { journalPath } from "../checkpoint/read_journal.ts";
import { checkJournal } from "../reconcile/check_journal.ts";
import { type Check, ok, problem, Skip, warning } from "./check.ts";
import { fileSystemAnswers } from "./file_system_answers.ts";
import { nearestThere } from "./nearest_there.ts";
import { askDatabase } from "./reach_database.ts";

/** An ingester that is at work has so long to write what it committed. */
const GRACE_MS = 2_000;
/** An ingest does not begin with one of these. */
const STOPPING: readonly string[] = ["other", "newer"];

/** The journal is of this database, and level with it. */
export const journalCheck: Check = {
  name: "journal",
  async look(ground) {
    const sql = await askDatabase(ground);
    const { pipeline } = ground;
    const directory = join(ground.checkpointsDirectory, pipeline);
    const there = await nearestThere(journalPath(directory));
    await fileSystemAnswers(ground, there);
    if (there === journalPath(directory) && !(await Deno.stat(there)).isFile) {
      throw new Skip(`${there} is no file`);
    }
    const check = await checkJournal(sql, { pipeline, directory, graceMs: GRACE_MS });
    if (check.kind === "level") return ok(check.detail);
    if (!check.isInLedger && check.kind === "missing") return ok("there is none yet, as it should");
    const found = `${check.kind}: ${check.detail}`;
    const remedy = check.hint ?? "pgsluice checkpoint repair";
    return STOPPING.includes(check.kind) ? problem(found, remedy) : warning(found, remedy);
  },
};
