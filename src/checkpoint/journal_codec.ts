/**
 * The journal's text: JSON lines, each `{"seq":…,"epoch":…,…,"sum":"…"}`, where `sum` is the start
 * of the sha256 of the line without it. The first line says what the journal is of; every other
 * one says how far files are.
 *
 * Invariant of a whole journal: `seq` rises by one from 0, and every sum is right. A last line that
 * is cut short is what a crash leaves; a bad line anywhere else is damage.
 */
import { createHash } from "node:crypto";

export const JOURNAL_FORMAT = "pgsluice-journal/1";

export interface JournalHead {
  readonly pipeline: string;
  /** The pipeline's random id in the database. */
  readonly identity: string;
  readonly source: string;
  readonly table: string;
}

/** How far one file is. */
export interface JournalFile {
  readonly path: string;
  readonly generation: number;
  readonly committedByte: number;
  readonly committedLine: number;
  readonly revision: number;
}

export interface JournalContent {
  readonly head: JournalHead;
  readonly epoch: number;
  readonly files: ReadonlyMap<string, JournalFile>;
  /** True if the last line was cut short. */
  readonly isTorn: boolean;
}

const SUM_DIGITS = 16;

export function encodeHead(head: JournalHead, epoch: number): string {
  return encodeLine({ seq: 0, epoch, format: JOURNAL_FORMAT, ...head });
}

export function encodeFiles(
  files: readonly JournalFile[],
  place: { seq: number; epoch: number },
): string {
  return encodeLine({ ...place, files });
}

/**
 * Reads a journal's text.
 * @throws SyntaxError that names the line and what is wrong with it
 */
export function decodeJournal(text: string): JournalContent {
  const lines = text.split("\n");
  // what follows the last newline is a line that was cut short, or nothing
  const isTorn = lines.pop() !== "";
  let head: JournalHead | undefined;
  let epoch = 0;
  const files = new Map<string, JournalFile>();
  lines.forEach((line, index) => {
    const entry = decodeLine(line, index);
    epoch = wholeNumber(entry.epoch, index);
    if (index === 0) head = decodeHead(entry);
    else for (const file of decodeFiles(entry, index)) files.set(file.path, file);
  });
  if (head === undefined) throw new SyntaxError("line 1: the journal's first line is missing");
  return { head, epoch, files, isTorn };
}

function encodeLine(entry: Record<string, unknown>): string {
  const body = JSON.stringify(entry);
  return `${body.slice(0, -1)},"sum":"${sumOf(body)}"}\n`;
}

function decodeLine(line: string, index: number): Record<string, unknown> {
  const match = /^(\{.*),"sum":"([0-9a-f]+)"\}$/s.exec(line);
  if (match === null) throw new SyntaxError(`line ${index + 1}: no journal line`);
  const body = `${match[1]}}`;
  if (sumOf(body) !== match[2]) throw new SyntaxError(`line ${index + 1}: its checksum is wrong`);
  const entry = JSON.parse(body);
  if (entry.seq !== index) {
    throw new SyntaxError(`line ${index + 1}: sequence number ${entry.seq}, expected ${index}`);
  }
  return entry;
}

function decodeHead(entry: Record<string, unknown>): JournalHead {
  const { format, pipeline, identity, source, table } = entry;
  if (format !== JOURNAL_FORMAT) {
    throw new SyntaxError(`line 1: format ${format}, expected ${JOURNAL_FORMAT}`);
  }
  return {
    pipeline: String(pipeline),
    identity: String(identity),
    source: String(source),
    table: String(table),
  };
}

function decodeFiles(entry: Record<string, unknown>, index: number): JournalFile[] {
  if (!Array.isArray(entry.files)) throw new SyntaxError(`line ${index + 1}: no files`);
  return entry.files.map((file) => ({
    path: String(file.path),
    generation: wholeNumber(file.generation, index),
    committedByte: wholeNumber(file.committedByte, index),
    committedLine: wholeNumber(file.committedLine, index),
    revision: wholeNumber(file.revision, index),
  }));
}

function wholeNumber(value: unknown, index: number): number {
  if (!Number.isSafeInteger(value)) {
    throw new SyntaxError(`line ${index + 1}: ${value} is no whole number`);
  }
  return value as number;
}

function sumOf(body: string): string {
  return createHash("sha256").update(body).digest("hex").slice(0, SUM_DIGITS);
}
