/** What `Deno.stdout`, `Deno.stderr` and a file have in common. */
export interface Output {
  /** @returns how many of the bytes were taken. */
  write(bytes: Uint8Array): Promise<number>;
  writeSync(bytes: Uint8Array): number;
}

/**
 * Standard output or error, such that a full pipe makes the writer wait.
 *
 * A program that shares the pipe, a Node that started this one say, may have made it non-blocking
 * for all who write to it. On such a one `Deno.stdout` fails when the pipe is full, after having
 * written nobody knows how much. Opened anew through /proc, the pipe blocks. Where that is not to
 * be had (no Linux, no pipe, the pipe of another user), it is the one that Deno has.
 */
export interface Output {
  /** @returns how many of the bytes were taken. */
  write(bytes: Uint8Array): Promise<number>;
  writeSync(bytes: Uint8Array): number;
}

/**
 * Standard output or error, such that a full pipe makes the writer wait.
 *
 * Node, and so npx, makes a pipe that it was given non-blocking, for the processes it starts as
 * well. On such a one `Deno.stdout` fails when the pipe is full, after having written nobody knows
 * how much. Opened anew through /proc, the pipe blocks. Where that is not to be had (no Linux, no
 * pipe, the pipe of another user), it is the one that Deno has.
 */
export function blockingOutput(descriptor: 1 | 2): Output {
  const path = `/proc/self/fd/${descriptor}`;
  try {
    if (Deno.statSync(path).isFifo) return Deno.openSync(path, { write: true });
  } catch {
    // as said above
  }
  return descriptor === 1 ? Deno.stdout : Deno.stderr;
}
