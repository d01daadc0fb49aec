import { bold, red } from "@std/fmt/colors";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import { escapeControls } from "./escape_controls.ts";
import type { ProcessTerminal } from "./terminal.ts";

/**
 * Says on stderr what failed and what to try. What is not a {@linkcode PgsluiceError} is a fault of
 * the program; its stack is shown with `PGSLUICE_DEBUG` set.
 * @returns the exit code.
 */
export function reportError(
  error: unknown,
  { terminal, debug }: { terminal: ProcessTerminal; debug: boolean },
): number {
  const { message, hint, exitCode } = describe(error);
  terminal.sayError(
    `${bold(red("error:"))} ${escapeControls(message)}\n${bold("try:")} ${escapeControls(hint)}`,
  );
  if (debug) terminal.sayError(Deno.inspect(error));
  return exitCode;
}

function describe(error: unknown): { message: string; hint: string; exitCode: number } {
  if (error instanceof PgsluiceError) return error;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    message: `internal: ${message}`,
    hint: "run it again with PGSLUICE_DEBUG=1 for the stack, and report that",
    exitCode: EXIT.failed,
  };
}
