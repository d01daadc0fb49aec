/**
 * The journal's bytes: JSON lines, each `{"seq":…,"epoch":…,…,"sum":"…"}`, where `sum` is the start
 * of the sha256 of the line without it. The first line says what the journal is of; every other
 * one says how far files are.
 *
 * Invariants of a whole journal: `seq` rises by one from 0, and every sum is right. A last line that
 * is cut short is what a crash leaves; a bad line anywhere else is damage. The first line keeps
 * this form in every later format, so that one of a newer pgsluice is told from a damaged one.
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
  /** Of the last line. */
  readonly epoch: number;
  readonly files: ReadonlyMap<string, JournalFile>;
  /** Whole lines, the first included. */
  readonly lineCount: number;
  /** Of those lines. */
  readonly sizeBytes: number;
  /** True if the last line was cut short. */
  readonly isTorn: boolean;
}

/** What the bytes of a journal say. */
export type JournalReading =
  | { readonly kind: "whole"; readonly content: JournalContent }
  | {
    readonly kind: "damaged";
    /** Names the line and what is wrong with it. */
    readonly reason: string;
    /** What the lines before say; null if the first one is at fault. */
    readonly readable: JournalContent | null;
  }
  /** Of a pgsluice that came after this one. */
  | { readonly kind: "newer"; readonly format: string };

const SUM_DIGITS = 16;
const NEWLINE = 0x0a;
const FORMAT_NAME = /^pgsluice-journal\/([1-9]\d{0,8})$/;

export function encodeHead(head: JournalHead, epoch: number): string {
  return encodeLine({ seq: 0, epoch, format: JOURNAL_FORMAT, ...head });
}

export function encodeFiles(
  files: readonly JournalFile[],
  place: { seq: number; epoch: number },
): string {
  return encodeLine({ ...place, files });
}

/** Reads a journal's bytes. Never throws for what they are. */
export function decodeJournal(bytes: Uint8Array): JournalReading {
  const files = new Map<string, JournalFile>();
  let content: JournalContent | null = null;
  let from = 0;
  try {
    for (let index = 0;; index++) {
      const end = bytes.indexOf(NEWLINE, from);
      if (end === -1) break;
      const entry = decodeLine(bytes.subarray(from, end), index);
      if (index === 0 && isNewer(entry.format)) {
        return { kind: "newer", format: String(entry.format) };
      }
      const head: JournalHead = content?.head ?? decodeHead(entry);
      if (index > 0) { for (const file of decodeFiles(entry, index)) files.set(file.path, file); }
      const epoch = wholeNumber(entry.epoch, index);
      from = end + 1;
      content = { head, epoch, files, lineCount: index + 1, sizeBytes: from, isTorn: false };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: "damaged", reason: error.message, readable: content };
  }
  if (content === null) {
    const reason = "line 1: the journal's first line is missing";
    return { kind: "damaged", reason, readable: null };
  }
  // what follows the last newline is a line that was cut short, or nothing
  return { kind: "whole", content: { ...content, isTorn: from < bytes.length } };
}

function encodeLine(entry: Record<string, unknown>): string {
  const body = JSON.stringify(entry);
  return `${body.slice(0, -1)},"sum":"${sumOf(body)}"}\n`;
}

function decodeLine(bytes: Uint8Array, index: number): Record<string, unknown> {
  const match = /^(\{.*),"sum":"([0-9a-f]+)"\}$/s.exec(decodeText(bytes, index));
  if (match === null) throw new SyntaxError(`line ${index + 1}: no journal line`);
  const body = `${match[1]}}`;
  if (sumOf(body) !== match[2]) throw new SyntaxError(`line ${index + 1}: its checksum is wrong`);
  const entry = JSON.parse(body);
  if (entry.seq !== index) {
    throw new SyntaxError(`line ${index + 1}: sequence number ${entry.seq}, expected ${index}`);
  }
  return entry;
}

function decodeText(bytes: Uint8Array, index: number): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SyntaxError(`line ${index + 1}: not UTF-8`);
  }
}

function isNewer(format: unknown): boolean {
  const match = FORMAT_NAME.exec(String(format));
  return match !== null && `pgsluice-journal/${match[1]}` !== JOURNAL_FORMAT;
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
