import { type Check, type Finding, ok, problem } from "./check.ts";
import { realFolder } from "./folder_check.ts";
import { nearestThere } from "./nearest_there.ts";
import { canRename, withProbeFile } from "./probe_folder.ts";
import { reasonOf } from "./reason_of.ts";
import { shellWord } from "./shell_word.ts";

/** What `--after` does with loaded files can be done. */
export const afterCheck: Check = {
  name: "after",
  applies: ({ folder }) => folder !== null && folder.after !== "keep",
  async look(ground) {
    const directory = await realFolder(ground);
    const { after } = ground.folder!;
    try {
      await withProbeFile(directory, () => Promise.resolve());
    } catch (error) {
      return problem(
        `files cannot be taken out of ${directory}: ${reasonOf(error)}`,
        `let its owner give this user (uid ${Deno.uid()}) the right to write there, or use ` +
          "--after keep",
      );
    }
    if (after === "keep" || after === "delete") return ok(`files can be deleted in ${directory}`);
    return await archivable(directory, after.archive);
  },
};

async function archivable(directory: string, archive: string): Promise<Finding> {
  const there = await nearestThere(archive);
  const real = await Deno.realPath(there);
  const elsewhere = "name one on the same file system, beside the folder or below it";
  if (!(await Deno.stat(real)).isDirectory) {
    return problem(`${archive} cannot be made: ${there} is a file`, elsewhere);
  }
  if (real === directory && there === archive) {
    return problem(`${archive} is the folder that is watched`, elsewhere);
  }
  try {
    if (await canRename(directory, real)) {
      return ok(
        there === archive
          ? `files can be moved to ${archive}`
          : `files can be moved to ${archive}, which an ingest makes`,
      );
    }
    return problem(`${archive} is on another file system than ${directory}`, elsewhere);
  } catch (error) {
    return problem(
      `files cannot be moved to ${archive}: ${reasonOf(error)}`,
      `let the owner of ${shellWord(there)} give this user (uid ${Deno.uid()}) the right to write`,
    );
  }
}
