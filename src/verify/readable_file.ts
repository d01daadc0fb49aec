import { type ByteSource, openFile } from "../source/byte_source.ts";

/** The file could not be opened or read, as opposed to what the database may throw. */
export class UnreadableError extends Error {
  readonly isGone: boolean;

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "UnreadableError";
    this.isGone = cause instanceof Deno.errors.NotFound ||
      cause instanceof Deno.errors.NotADirectory;
  }
}

/** @throws UnreadableError, now and when it is read */
export async function openReadable(path: string): Promise<ByteSource> {
  const unreadable = (cause: unknown): never => {
    throw new UnreadableError(cause);
  };
  const source = await openFile(path).catch(unreadable);
  return {
    read: (atByte, into) => source.read(atByte, into).catch(unreadable),
    close: () => source.close(),
  };
}
