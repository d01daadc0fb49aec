import { dirname } from "@std/path";
import { type Check, ok, warning } from "./check.ts";
import { realFolder } from "./folder_check.ts";
import { shellWord } from "./shell_word.ts";

/**
 * Writers that make a file beside the folder and rename it into the folder show it whole, as long as
 * both are on one file system; across two `mv` copies, and a part is seen.
 */
export const renameCheck: Check = {
  name: "folder-rename",
  applies: ({ folder }) => folder !== null,
  async look(ground) {
    const directory = await realFolder(ground);
    const above = dirname(directory);
    const [inside, beside] = await Promise.all([Deno.stat(directory), Deno.stat(above)]);
    if (inside.dev === beside.dev) {
      const temporary = Deno.env.get("TMPDIR") || "/tmp";
      const other = await Deno.stat(temporary).catch(() => null);
      return ok(
        other === null || other.dev === inside.dev
          ? "files can be renamed into it from beside it"
          : `files can be renamed into it from beside it, but not from ${temporary}, which is on ` +
            "another file system",
      );
    }
    const place = shellWord(directory);
    return warning(
      `it is on another file system than ${above}: what is moved into it from there is copied, ` +
        "and seen before it is whole",
      `let writers make their files in it, under a name that begins with a dot, and rename ` +
        `them there: mv ${place}/.FILE ${place}/FILE.csv`,
    );
  },
};
