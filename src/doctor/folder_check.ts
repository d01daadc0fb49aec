import { join } from "@std/path";
import { listFolder } from "../source/folder_scan.ts";
import { type Check, type Finding, ok, problem, Skip } from "./check.ts";
import { fileSystemAnswers } from "./file_system_answers.ts";
import type { Ground, WatchedFolder } from "./ground.ts";
import { nearestThere } from "./nearest_there.ts";
import { withProbeFile } from "./probe_folder.ts";
import { reasonOf } from "./reason_of.ts";
import { shellWord } from "./shell_word.ts";

/** So many files are opened; a writer's umask is the same for all. */
const OPENED_FILES = 500;

/** The folder is there, and may be listed; its files may be read. */
export const folderCheck: Check = {
  name: "folder",
  applies: ({ folder }) => folder !== null,
  async look(ground) {
    const { folder } = ground;
    const { path, recursive } = folder!;
    try {
      const info = await Deno.stat(path);
      if (!info.isDirectory) {
        return problem(
          `${path} is not a folder`,
          `name the folder it is in, or pipe it: pgsluice ingest - < ${shellWord(path)}`,
        );
      }
      await fileSystemAnswers(ground, path);
      const closed: string[] = [];
      const files = await listFolder(await Deno.realPath(path), {
        recursive,
        onUnreadable: (below) => closed.push(below),
      });
      return await readable(path, { files, closed });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return await missing(folder!);
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      return problem(
        `${path} cannot be listed by this user (uid ${Deno.uid()}): permission denied`,
        `let its owner run: chmod o+rx ${shellWord(path)}; the folders above it need o+x`,
      );
    }
  },
};

/** The folder's real path; files in it may be opened. @throws Skip if there is no such folder, or it may not be seen */
export async function realFolder(ground: Ground): Promise<string> {
  try {
    const real = await Deno.realPath(ground.folder!.path);
    if (!(await Deno.stat(real)).isDirectory) throw new Skip("the folder is none");
    await fileSystemAnswers(ground, real);
    return real;
  } catch (error) {
    if (error instanceof Skip) throw error;
    throw new Skip(`the folder cannot be looked into: ${reasonOf(error)}`);
  }
}

async function readable(
  path: string,
  { files, closed }: { files: readonly string[]; closed: readonly string[] },
): Promise<Finding> {
  const unreadable = [...closed];
  for (const file of files.slice(0, OPENED_FILES)) {
    try {
      (await Deno.open(join(path, file))).close();
    } catch (error) {
      if (error instanceof Deno.errors.PermissionDenied) unreadable.push(file);
      // one that is gone by now was taken away by somebody
    }
  }
  const [first] = unreadable;
  if (first === undefined) {
    const count = files.length === 1 ? "1 file matches" : `${files.length} files match`;
    return ok(`${path} can be read; ${count} *.csv`);
  }
  const place = shellWord(path);
  return problem(
    `in ${path} this user (uid ${Deno.uid()}) cannot read ${unreadable.length} of what is to be ` +
      `read, such as ${first}: permission denied`,
    `let the owner run: chmod -R o+rX ${place}, and writers use umask 022`,
  );
}

async function missing({ path, isDefault }: WatchedFolder): Promise<Finding> {
  if (!isDefault) {
    return problem(`there is no folder ${path}`, `mkdir -p ${shellWord(path)}, or name another`);
  }
  const above = await nearestThere(path);
  try {
    await withProbeFile(above, () => Promise.resolve());
    return ok(`${path} is not there yet; an ingest makes it`);
  } catch (error) {
    return problem(
      `${path} is not there, and cannot be made in ${above}: ${reasonOf(error)}`,
      "name a folder, as in `pgsluice ingest DIR`, or set PGSLUICE_HOME to a folder of this user",
    );
  }
}
