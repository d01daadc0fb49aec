/**
 * Why the file system refused, in a few words: the message of an error of `Deno`'s without the
 * number and the call behind it.
 */
export function systemReason(cause: unknown): string {
  // what `mkdir` says of a path that leads to a file
  if (cause instanceof Deno.errors.AlreadyExists) return "it is a file";
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/ \(os error \d+\).*$/s, "");
}
