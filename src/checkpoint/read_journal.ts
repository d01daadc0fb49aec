import { join } from "@std/path";
import { decodeJournal, type JournalContent, type JournalReading } from "./journal_codec.ts";

const JOURNAL_NAME = "journal.jsonl";

/** What is in a pipeline's folder under the checkpoints. */
export type JournalFound = JournalReading | { readonly kind: "missing" };

/** @param directory the pipeline's own folder */
export function journalPath(directory: string): string {
  return join(directory, JOURNAL_NAME);
}

/** Reads the journal without taking it. Never throws for what the file is or holds. */
export async function readJournal(directory: string): Promise<JournalFound> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(journalPath(directory));
  } catch (error) {
    if (isMissing(error)) return { kind: "missing" };
    const why = error instanceof Error ? error.message : String(error);
    return { kind: "damaged", reason: `it cannot be read: ${why}`, readable: null };
  }
  return decodeJournal(bytes);
}

/** What can be read of it: of a damaged one, what comes before the damage. */
export function readableContent(found: JournalFound): JournalContent | null {
  switch (found.kind) {
    case "whole":
      return found.content;
    case "damaged":
      return found.readable;
    case "missing":
    case "newer":
      return null;
  }
}

/** No such file, or what should be a folder on the way to it is none. */
function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}
