import { EXIT, PgsluiceError } from "../pgsluice_error.ts";

/** The command line was not understood; `hint` says what to type instead. */
export function usageError(message: string, hint: string): PgsluiceError {
  return new PgsluiceError("usage", message, { hint, exitCode: EXIT.usage });
}
