import { dirname, join } from "@std/path";
import { compileExecutable } from "../../src/compile/compile_executable.ts";
import type { BenchOptions } from "./bench_options.ts";

/** Why there is none. */
export const NO_EXECUTABLE = "`deno compile` finds no runtime to put before the program here: " +
  "DENORT_BIN may name one";

/**
 * The executable that users get, compiled once a run.
 * @returns its absolute path, or null where it cannot be compiled
 */
export async function benchExecutable({ place, say }: BenchOptions): Promise<string | null> {
  // beside the places of all rows: others may run it
  const path = join(dirname(place.home), "pgsluice");
  try {
    await Deno.lstat(path);
    return path;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  say("compiling the executable");
  try {
    await compileExecutable({ output: path, quiet: true });
    return path;
  } catch (error) {
    say(String(error));
    return null;
  }
}
