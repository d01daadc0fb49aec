import { join } from "@std/path";
import { withServerArchive } from "../database/server_archive.ts";
import { packagedServer } from "../database/server_files.ts";
import { packageDirectory } from "../database/server_package.ts";

/**
 * Makes the executable, with PostgreSQL for this platform in it.
 *
 * @param options.output replaced if it is there, once the new one is complete.
 * @param options.quiet `deno compile` says nothing.
 * @throws if `deno compile` fails, which needs the runtime to put before the program: one that it
 * fetches, or the one that `DENORT_BIN` names.
 */
export async function compileExecutable(
  { main, output, quiet }: { main: string; output: string; quiet: boolean },
): Promise<void> {
  const serverDirectory = await packageDirectory();
  const work = await Deno.makeTempDir();
  try {
    const compiled = join(work, "pgsluice");
    const talk = quiet ? "null" : "inherit";
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: [
        "compile",
        "--allow-all",
        // less memory: a small young generation, and an old one that is collected early
        "--v8-flags=--max-semi-space-size=1,--heap-growing-percent=50",
        // it would be a file of a known name in /tmp, which anybody may have put there
        "--no-code-cache",
        // it is put in below
        ...(serverDirectory === null ? [] : [`--exclude=${serverDirectory}`]),
        `--output=${compiled}`,
        main,
      ],
      stdin: "null",
      stdout: talk,
      stderr: talk,
    }).spawn().status;
    if (!success) throw new Error("`deno compile` failed");
    const executable = await Deno.readFile(compiled);
    const whole = serverDirectory === null
      ? new Blob([executable])
      : await withServerArchive(executable, await packagedServer(serverDirectory));
    // under another name until it is complete
    const unfinished = `${output}.${crypto.randomUUID()}.tmp`;
    await Deno.writeFile(unfinished, whole.stream(), { createNew: true, mode: 0o755 });
    await Deno.rename(unfinished, output);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}
