import type { JournalContent, JournalFile } from "./journal_codec.ts";

/** How the journal stands to the ledger, which is the truth. */
export type JournalStanding =
  | { readonly kind: "level" }
  /** It lacks what was committed last: a crash between commit and append. */
  | { readonly kind: "behind"; readonly files: number }
  /** The database lost commits: restored from a backup, or failed over to a late replica. */
  | { readonly kind: "ahead"; readonly files: number; readonly bytes: number };

/** @param ledger how far the ledger says each file is, by path */
export function compareJournal(
  journal: JournalContent,
  ledger: ReadonlyMap<string, JournalFile>,
): JournalStanding {
  let filesAhead = 0;
  let bytesAhead = 0;
  let filesBehind = 0;
  for (const [path, mine] of journal.files) {
    const truth = ledger.get(path);
    if (truth === undefined) {
      filesAhead++;
      bytesAhead += mine.committedByte;
    } else if (truth.generation === mine.generation && truth.revision === mine.revision) {
      if (mine.committedByte > truth.committedByte) {
        filesAhead++;
        bytesAhead += mine.committedByte - truth.committedByte;
      } else if (mine.committedByte < truth.committedByte) filesBehind++;
    } else if (truth.generation < mine.generation || truth.revision < mine.revision) {
      filesAhead++;
    } else filesBehind++;
  }
  for (const [path, { committedByte }] of ledger) {
    // a file of which nothing is committed need not be in the journal
    if (!journal.files.has(path) && committedByte > 0) filesBehind++;
  }
  if (filesAhead > 0) return { kind: "ahead", files: filesAhead, bytes: bytesAhead };
  return filesBehind > 0 ? { kind: "behind", files: filesBehind } : { kind: "level" };
}
