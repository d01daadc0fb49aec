import { join } from "@std/path";
import { executableMachine } from "./executable_machine.ts";
import { ownTarget, type ReleaseTarget } from "./release_target.ts";
import { EMBEDDED_SERVER_NAME } from "./staged_source.ts";
import { unusedNpmFiles } from "./unused_npm_files.ts";

export interface DenoCompileOptions {
  /** Null for this machine's platform where it is none that releases are made for. */
  readonly target: ReleaseTarget | null;
  readonly runtime?: string;
  readonly quiet: boolean;
}

/**
 * Runs `deno compile`.
 *
 * @param staged The folder of the sources, which may hold a server's archive. The executable is
 * left beside it.
 * @throws if it fails, or the runtime is of another platform
 */
export async function denoCompile(
  staged: string,
  { target, runtime, quiet }: DenoCompileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  // the program's name, which the names of what is embedded begin with
  const output = join(staged, "..", "pgsluice");
  const environment = Deno.env.toObject();
  // it is for this platform, and Deno would take it for any
  if (target !== ownTarget()) delete environment["DENORT_BIN"];
  if (runtime !== undefined) environment["DENORT_BIN"] = await Deno.realPath(runtime);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...await compileFlags(staged, target), `--output=${output}`, "main.ts"],
    cwd: staged,
    clearEnv: true,
    env: environment,
    stdin: "null",
    stdout: "null",
    stderr: quiet ? "null" : "inherit",
  }).spawn().status;
  if (!success) throw new Error(whyNotCompiled(target, environment["DENORT_BIN"]));
  const executable = await Deno.readFile(output);
  const machine = executableMachine(executable);
  if (target !== null && machine !== target.machine) {
    throw new Error(`its runtime is for ${machine ?? "an unknown platform"}`);
  }
  return executable;
}

async function compileFlags(staged: string, target: ReleaseTarget | null): Promise<string[]> {
  const names = (await Array.fromAsync(Deno.readDir(staged))).map(({ name }) => name);
  return [
    "compile",
    "--quiet",
    "--allow-all",
    "--frozen",
    "--no-check", // of the copy: `deno task ok` checks the project
    // less memory: a small young generation, and an old one that is collected early
    "--v8-flags=--max-semi-space-size=1,--heap-growing-percent=50",
    // it would be a file of a known name in /tmp, which anybody may have put there
    "--no-code-cache",
    ...(await unusedNpmFiles()).map((path) => `--exclude=${path}`),
    ...names.filter((name) => name === EMBEDDED_SERVER_NAME).map((name) => `--include=${name}`),
    ...(target === ownTarget() ? [] : [`--target=${target!.triple}`]),
  ];
}

function whyNotCompiled(target: ReleaseTarget | null, runtime: string | undefined): string {
  if (runtime !== undefined) return `\`deno compile\` failed, with ${runtime} as the runtime`;
  const option = target === null ? "" : `, or \`--runtime ${target.name}=FILE\` of the release,`;
  return `\`deno compile\` failed. It needs the runtime of Deno ${Deno.version.deno} for ` +
    `${target?.triple ?? Deno.build.target}, which it fetches from a host of its own; DENORT_BIN` +
    `${target === ownTarget() ? "" : " (for this platform)"}${option} names one instead`;
}
