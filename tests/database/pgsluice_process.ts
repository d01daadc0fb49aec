import { fromFileUrl } from "@std/path";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));
/** What Deno itself needs of the environment. */
const PASSED_ON = ["PATH", "HOME", "DENO_DIR", "TMPDIR", "XDG_CACHE_HOME"];

export interface ProcessEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as a shell does, in a folder, with nothing of libpq in its environment. */
export async function pgsluiceProcess(
  args: readonly string[],
  options: { cwd: string; environment?: Readonly<Record<string, string>> },
): Promise<ProcessEnd> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", `--config=${CONFIG}`, MAIN, ...args],
    cwd: options.cwd,
    clearEnv: true,
    env: { ...Object.fromEntries(passed), NO_COLOR: "1", ...options.environment },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
