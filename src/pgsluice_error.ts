/** How a process ends, for shells and service managers. */
export const EXIT = {
  /** Everything asked for was done. */
  done: 0,
  /** pgsluice or its surroundings failed. */
  failed: 1,
  /** The command line was not understood. */
  usage: 2,
  /** The data is at fault: verify differs, a file failed, a budget was passed. */
  data: 3,
  /** Try again later: another ingester owns the pipeline. */
  tryAgain: 75,
} as const;

export interface PgsluiceErrorOptions {
  /** What the reader can do about it, printed as `try:`. */
  readonly hint: string;
  /** One of {@linkcode EXIT}; `EXIT.failed` unless given. */
  readonly exitCode?: number;
  readonly cause?: unknown;
}

/**
 * An error whose message is written for the person at the terminal: what failed, where, and what
 * was expected. Printed as `error: <message>` and `try: <hint>`, without a stack.
 */
export class PgsluiceError extends Error {
  /** A short, stable, kebab-case name of the fault, as listed in the README. */
  readonly code: string;
  readonly hint: string;
  readonly exitCode: number;

  constructor(code: string, message: string, options: PgsluiceErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "PgsluiceError";
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? EXIT.failed;
  }
}
