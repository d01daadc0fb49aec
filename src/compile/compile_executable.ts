import { join } from "@std/path";
import { serverArchive, withServerArchive } from "../database/server_archive.ts";
import { packagedServer, type ServerFiles } from "../database/server_files.ts";
import { packageDirectory } from "../database/server_package.ts";
import { readCommit } from "../git_commit.ts";
import { denoCompile } from "./deno_compile.ts";
import { thinMachO } from "./executable_machine.ts";
import { fixFileTimes } from "./fixed_file_times.ts";
import { ownTarget, type ReleaseTarget } from "./release_target.ts";
import { downloadServer } from "./server_download.ts";
import { sourceTime } from "./source_time.ts";
import { EMBEDDED_SERVER_NAME, PROJECT, stageSource } from "./staged_source.ts";

export interface CompileOptions {
  /** Replaced if it is there, once the new one is complete. */
  readonly output: string;
  /** Nothing is said of why `deno compile` fails. */
  readonly quiet: boolean;
  /** This machine's unless given. */
  readonly target?: ReleaseTarget;
  /**
   * The runtime to put before the program. Unless given, `DENORT_BIN` names it for this machine's
   * platform, and else `deno compile` fetches it.
   */
  readonly runtime?: string;
}

/**
 * Makes an executable, with the platform's PostgreSQL in it if there is one.
 *
 * @throws if `deno compile` fails, or makes an executable of another platform, or the server cannot
 * be had
 */
export async function compileExecutable(options: CompileOptions): Promise<void> {
  const target = options.target ?? ownTarget();
  const work = await Deno.makeTempDir();
  try {
    const server = target === null ? null : await targetServer(target, work);
    const commit = await readCommit(PROJECT);
    const staged = join(work, "source");
    await stageSource(staged, {
      commit: commit === null ? null : commit.name,
      embeddedPostgres: server?.version ?? null,
    });
    const isElf = target?.machine.startsWith("elf-") ?? false;
    if (server !== null && !isElf) {
      const archive = (await serverArchive(server)).stream();
      await Deno.writeFile(join(staged, EMBEDDED_SERVER_NAME), archive);
    }
    const executable = await denoCompile(staged, { ...options, target });
    if (isElf) fixFileTimes(executable, sourceTime(commit));
    const whole = server !== null && isElf
      ? await withServerArchive(executable, server)
      : new Blob([executable]);
    // under another name until it is complete
    const unfinished = `${options.output}.${crypto.randomUUID()}.tmp`;
    await Deno.writeFile(unfinished, whole.stream(), { createNew: true, mode: 0o755 });
    await Deno.rename(unfinished, options.output);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function targetServer(target: ReleaseTarget, work: string): Promise<ServerFiles> {
  const own = target === ownTarget() ? await packageDirectory() : null;
  const server = await packagedServer(own ?? await downloadServer(target, work));
  return {
    version: server.version,
    async *files() {
      for await (const file of server.files()) {
        if ("linkTarget" in file) yield file;
        else yield { path: file.path, bytes: thinMachO(file.bytes, target.machine) };
      }
    },
  };
}
