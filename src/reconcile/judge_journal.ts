/** The journal beside the ledger: what is, and what can be done about it. Pure. */
import {
  type JournalDifference,
  journalDifferences,
  journalStanding,
} from "../checkpoint/compare_journal.ts";
import { JOURNAL_FORMAT, type JournalContent } from "../checkpoint/journal_codec.ts";
import { type JournalFound, readableContent } from "../checkpoint/read_journal.ts";
import type { LedgerOfPipeline } from "./read_ledger.ts";

/**
 * What the journal is, as seen from the ledger:
 * - level, behind, ahead: as `JournalStanding` has it;
 * - torn: its last line is cut short, as a crash leaves it; missing; damaged;
 * - newer: in a format of a later pgsluice;
 * - other: of another database, or of another source or table;
 * - unwritten: an ingester is at work, and yet the journal does not follow the ledger.
 */
export type JournalKind =
  | "level"
  | "behind"
  | "ahead"
  | "torn"
  | "missing"
  | "damaged"
  | "newer"
  | "other"
  | "unwritten";

export interface JournalVerdict {
  readonly kind: JournalKind;
  /** In a sentence without a stop. */
  readonly detail: string;
  /** What to do about it; null if nothing need be done. */
  readonly hint: string | null;
  /** The files on which journal and ledger differ, of what can be read of the journal. */
  readonly differences: readonly JournalDifference[];
}

const MENDED_AT_START = "`pgsluice ingest` mends it when it starts, as `pgsluice checkpoint " +
  "repair` does without loading anything";

/** @param ledger null: the database has no such pipeline */
export function judgeJournal(found: JournalFound, ledger: LedgerOfPipeline | null): JournalVerdict {
  if (found.kind === "missing") {
    return {
      kind: "missing",
      detail: "there is none",
      hint:
        `${MENDED_AT_START}; if the journals are elsewhere, name that folder with --checkpoints`,
      differences: [],
    };
  }
  if (found.kind === "newer") {
    return {
      kind: "newer",
      detail: `its format is ${found.format}, and this pgsluice reads ${JOURNAL_FORMAT}`,
      hint: "use the newer pgsluice; or, for a new journal of this one, move its folder away",
      differences: [],
    };
  }
  const readable = readableContent(found);
  const foreign = readable === null ? [] : foreignFacts(readable, ledger);
  if (foreign.length > 0) {
    return {
      kind: "other",
      detail: `of another pipeline than the database's: ${foreign.join("; ")}`,
      hint: "point --database at the database of the journal; or, for a new journal of this one, " +
        "move its folder away, or name another with --checkpoints",
      differences: [],
    };
  }
  const differences = readable === null || ledger === null
    ? []
    : journalDifferences(readable, ledger.files);
  if (found.kind === "damaged") {
    return {
      kind: "damaged",
      detail: `damaged: ${found.reason}`,
      hint: `${MENDED_AT_START}; the damaged one is kept beside it`,
      differences,
    };
  }
  return judgeDifferences(differences, found.content.isTorn);
}

function judgeDifferences(
  differences: readonly JournalDifference[],
  isTorn: boolean,
): JournalVerdict {
  const standing = journalStanding(differences);
  if (standing.kind === "ahead") {
    return {
      kind: "ahead",
      detail: `the database lost commits that the journal knows of: ` +
        `${counted(standing.files, "file")}, ${counted(standing.bytes, "byte")}`,
      hint: "was it restored, or did it fail over? `pgsluice ingest` loads again from the files " +
        "what it lost",
      differences,
    };
  }
  const isBehind = standing.kind === "behind";
  const behind = isBehind ? `behind the database for ${counted(standing.files, "file")}` : null;
  if (isTorn) {
    const detail = ["its last line is cut short", ...(behind === null ? [] : [behind])].join("; ");
    return { kind: "torn", detail, hint: MENDED_AT_START, differences };
  }
  if (behind !== null) {
    return { kind: "behind", detail: behind, hint: MENDED_AT_START, differences };
  }
  return { kind: "level", detail: "level with the database", hint: null, differences };
}

/** In what the journal's first line is not the ledger's. */
function foreignFacts({ head }: JournalContent, ledger: LedgerOfPipeline | null): string[] {
  if (ledger === null) {
    return [
      `id ${head.identity}, source ${head.source}, where it has no pipeline ${head.pipeline}`,
    ];
  }
  const facts = [
    { noun: "id", journal: head.identity, ledger: ledger.head.identity },
    { noun: "name", journal: head.pipeline, ledger: ledger.head.pipeline },
    { noun: "source", journal: head.source, ledger: ledger.head.source },
    { noun: "table", journal: head.table, ledger: ledger.head.table },
  ];
  return facts.filter((fact) => fact.journal !== fact.ledger)
    .map((fact) => `${fact.noun} ${fact.journal}, not ${fact.ledger}`);
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
