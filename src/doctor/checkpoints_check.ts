import { join } from "@std/path";
import { journalPath } from "../checkpoint/read_journal.ts";
import { type Check, type Finding, ok, problem, together, warning } from "./check.ts";
import { fileSystemAnswers } from "./file_system_answers.ts";
import type { Ground } from "./ground.ts";
import { isRemote, mountOf } from "./mounts.ts";
import { nearestThere } from "./nearest_there.ts";
import { withProbeFile } from "./probe_folder.ts";
import { reasonOf } from "./reason_of.ts";
import { shellWord } from "./shell_word.ts";

const ELSEWHERE = "or name another folder with --checkpoints";

/** The journal can be written, flushed, replaced and locked. */
export const checkpointsCheck: Check = {
  name: "checkpoints",
  async look(ground) {
    const directory = join(ground.checkpointsDirectory, ground.pipeline);
    const there = await nearestThere(directory);
    if (!(await Deno.stat(there)).isDirectory) {
      return problem(
        `${directory} cannot be made: ${there} is a file`,
        `move it away: mv ${shellWord(there)} ${shellWord(`${there}.old`)}, ${ELSEWHERE}`,
      );
    }
    await fileSystemAnswers(ground, there);
    try {
      await withProbeFile(there, writeAndLock);
      if (there === directory) await openJournal(directory);
    } catch (error) {
      const place = shellWord(there);
      return problem(
        `the journal cannot be kept in ${directory}: ${reasonOf(error)}`,
        `let this user (uid ${Deno.uid()}) write there, as in: ` +
          `chown -R ${Deno.uid()} ${place}, ${ELSEWHERE}`,
      );
    }
    const can = there === directory
      ? `${directory} can be written and locked`
      : `${directory} can be made and written`;
    return together([ok(can), ...await fileSystem(ground, there)]);
  },
};

/** What the journal does with its file. */
async function writeAndLock(path: string): Promise<void> {
  const file = await Deno.open(path, { write: true });
  try {
    if (!await file.tryLock(true)) throw new Error("files cannot be locked there");
    await file.write(new TextEncoder().encode("{}\n"));
    await file.sync();
  } finally {
    file.close();
  }
}

/** Files that are there may be another user's, as after a first run as root. */
async function openJournal(directory: string): Promise<void> {
  for (const path of [journalPath(directory), join(directory, "lock")]) {
    try {
      // a pipe would be waited for
      if (!(await Deno.stat(path)).isFile) throw new Error("it is no file");
      (await Deno.open(path, { append: true })).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw new Error(`${path}: ${reasonOf(error)}`);
    }
  }
}

async function fileSystem({ machine }: Ground, there: string): Promise<Finding[]> {
  const mount = await mountOf(await Deno.realPath(there), machine);
  if (mount === null || !isRemote(mount)) return [];
  return [warning(
    `it is on ${mount.type}, mounted on ${mount.place}, where a network that is away stops the ` +
      "journal",
    "keep it on a disk of this machine, with --checkpoints",
  )];
}
