import type { JournalContent, JournalFile } from "./journal_codec.ts";

/** How the journal stands to the ledger, which is the truth. */
export type JournalStanding =
  | { readonly kind: "level" }
  /** It lacks what was committed last: a crash between commit and append. */
  | { readonly kind: "behind"; readonly files: number }
  /** The database lost commits: restored from a backup, or failed over to a late replica. */
  | { readonly kind: "ahead"; readonly files: number; readonly bytes: number };

/** A file of which journal and ledger do not say the same; null: it has none of this name. */
export interface JournalDifference {
  readonly path: string;
  /** Where the journal is, as seen from the ledger. */
  readonly kind: "behind" | "ahead";
  readonly journal: JournalFile | null;
  readonly ledger: JournalFile | null;
}

/** How far the ledger says each file is, by path. */
export type LedgerPlaces = Pick<ReadonlyMap<string, JournalFile>, "get" | "values" | "size">;

export function compareJournal(
  journal: Pick<JournalContent, "files">,
  ledger: LedgerPlaces,
): JournalStanding {
  return journalStanding(journalDifferences(journal, ledger));
}

/** One file that is ahead makes the journal ahead: that is what must not go unnoticed. */
export function journalStanding(differences: readonly JournalDifference[]): JournalStanding {
  const ahead = differences.filter(({ kind }) => kind === "ahead");
  if (ahead.length > 0) {
    return { kind: "ahead", files: ahead.length, bytes: ahead.reduce(addLost, 0) };
  }
  return differences.length > 0 ? { kind: "behind", files: differences.length } : { kind: "level" };
}

/** The files that differ, those of the journal first, each in the order it is kept in. */
export function journalDifferences(
  { files }: Pick<JournalContent, "files">,
  ledger: LedgerPlaces,
): JournalDifference[] {
  const differences: JournalDifference[] = [];
  for (const [path, mine] of files) {
    const truth = ledger.get(path) ?? null;
    const kind = truth === null ? "ahead" : placeOf(mine, truth);
    if (kind !== "level") differences.push({ path, kind, journal: mine, ledger: truth });
  }
  for (const truth of ledger.values()) {
    // a file of which nothing is committed need not be in the journal
    if (files.has(truth.path) || truth.committedByte === 0) continue;
    differences.push({ path: truth.path, kind: "behind", journal: null, ledger: truth });
  }
  return differences;
}

/** Generations and revisions only rise; bytes may go back when one of them has risen. */
function placeOf(mine: JournalFile, truth: JournalFile): "level" | "behind" | "ahead" {
  const lead = mine.generation - truth.generation || mine.revision - truth.revision ||
    mine.committedByte - truth.committedByte;
  return lead === 0 ? "level" : lead < 0 ? "behind" : "ahead";
}

/** Of a generation that the ledger does not have any more, all is lost. */
function addLost(bytes: number, { journal, ledger }: JournalDifference): number {
  const keptBytes = ledger?.generation === journal!.generation ? ledger.committedByte : 0;
  return bytes + Math.max(0, journal!.committedByte - keptBytes);
}
