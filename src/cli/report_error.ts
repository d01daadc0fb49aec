import { bold, gray, red } from "@std/fmt/colors";
import { databaseError, isConnectionError, sqlState } from "../database/fault.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import { escapeControls } from "../escape_controls.ts";
import type { ProcessTerminal } from "./terminal.ts";

/**
 * Says on stderr what failed, under which code the README explains it, and what to try. What is not a {@linkcode PgsluiceError} is a fault of
 * the program; its stack is shown with `PGSLUICE_DEBUG` set.
 * @returns the exit code.
 */
export function reportError(
  error: unknown,
  { terminal, debug }: { terminal: ProcessTerminal; debug: boolean },
): number {
  const { message: said, code, hint, exitCode } = describe(error);
  const message = maskPassword(said);
  const name = code === null ? "" : ` ${gray(`[${code}]`)}`;
  terminal.log({
    level: "error",
    event: "failed",
    message: `${escapeControls(message)} (${escapeControls(hint)})`,
    text: `${bold(red("error:"))} ${escapeControls(message)}${name}\n` +
      `${bold("try:")} ${escapeControls(hint)}`,
    fields: { code, hint, exit_code: exitCode },
  });
  if (debug) terminal.log({ level: "error", event: "stack", message: Deno.inspect(error) });
  return exitCode;
}

/** Of a URL that was typed where none belongs, and is shown again as an argument or a folder. */
function maskPassword(text: string): string {
  return text.replace(/(\bpostgres(?:ql)?:\/\/[^\s:@/]*):[^\s]*@/gi, "$1:…@");
}

interface Description {
  readonly message: string;
  /** Null for a fault of the program. */
  readonly code: string | null;
  readonly hint: string;
  readonly exitCode: number;
}

function describe(error: unknown): Description {
  if (error instanceof PgsluiceError) return error;
  if (sqlState(error) !== undefined || isConnectionError(error)) {
    return describe(databaseError(error, "asking the database"));
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    message: `internal: ${message}`,
    code: null,
    hint: "run it again with PGSLUICE_DEBUG=1 for the stack, and report that",
    exitCode: EXIT.failed,
  };
}
