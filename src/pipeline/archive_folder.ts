import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { ARCHIVE_MARK } from "../source/folder_scan.ts";

const MARK_TEXT = "pgsluice moved the files in this folder here after it had loaded them; " +
  "it never loads them again.\n";

/**
 * Makes the folder that loaded files are moved to, if it is missing, and marks it, so that nobody
 * who watches a folder above takes them for new ones.
 * @param watched The real path of the folder they come from.
 * @returns its real path
 * @throws PgsluiceError `archive-folder`
 */
export async function archiveFolder(directory: string, watched: string): Promise<string> {
  try {
    await Deno.mkdir(directory, { recursive: true });
    const real = await Deno.realPath(directory);
    if (real === watched) {
      throw unusable(
        directory,
        "it is the folder that is watched",
        "name another one, such as one beside it or below it",
      );
    }
    const [archive, source] = [await Deno.stat(real), await Deno.stat(watched)];
    if (archive.dev !== source.dev) {
      throw unusable(
        directory,
        `it is on another file system than ${watched}, so that files cannot be moved there in ` +
          "one step",
        "name a folder on the same file system",
      );
    }
    await Deno.writeTextFile(join(real, ARCHIVE_MARK), MARK_TEXT);
    return real;
  } catch (error) {
    if (error instanceof PgsluiceError || !(error instanceof Error)) throw error;
    throw unusable(directory, error.message, "name a folder that can be made and written to");
  }
}

function unusable(directory: string, why: string, hint: string): PgsluiceError {
  return new PgsluiceError("archive-folder", `cannot archive in ${directory}: ${why}`, { hint });
}
