import type { Schema, SourceColumn } from "../schema/schema.ts";
import { showText } from "./show_text.ts";
import type { LedgerReject, Snapshot } from "./snapshot.ts";
import type { Differences } from "./verify_report.ts";

/** Keys looked up with one query. */
const BATCH_KEYS = 500;

/**
 * A valid record that is not loaded. Its key must be in the table with the same content, or with
 * other content; or, where the ledger keeps no word of the record, it is only counted.
 */
interface Lookup {
  readonly lineNumber: number;
  /** What the record says of the CSV's columns, and of the derived ones. */
  readonly texts: readonly (string | null)[];
  readonly kind: "duplicate" | "key conflict" | "unkept";
}

/**
 * Looks up in the table what the ledger says of records that were valid and yet not loaded: a
 * duplicate's event must be there, a key conflict's key with other content.
 */
export class KeyLookups {
  readonly #snapshot: Snapshot;
  readonly #differences: Differences;
  readonly #keyIndex: number;
  readonly #columns: readonly SourceColumn[];
  #lookups: Lookup[] = [];
  /** Of the records looked up of which the ledger keeps no word: those in the table, and others. */
  readonly unkept = { duplicate: 0, other: 0 };

  constructor(
    options: { schema: Schema; snapshot: Snapshot; differences: Differences },
  ) {
    const { schema, snapshot, differences } = options;
    this.#snapshot = snapshot;
    this.#differences = differences;
    this.#columns = schema.columns;
    this.#keyIndex = schema.columns.findIndex((column) => column.name === schema.key);
  }

  /** @param texts of the record, which is valid */
  addDuplicate(
    { lineNumber, key }: { lineNumber: number; key: string },
    texts: readonly (string | null)[],
  ): void {
    this.#compareKey("duplicate", { lineNumber, key, texts });
    this.#lookups.push({ lineNumber, texts, kind: "duplicate" });
  }

  /** @param texts of the record, which is valid */
  addReject(reject: LedgerReject, texts: readonly (string | null)[]): void {
    const { lineNumber, code, key } = reject;
    if (code === "key_conflict") {
      this.#compareKey("key conflict", { lineNumber, key, texts });
      this.#lookups.push({ lineNumber, texts, kind: "key conflict" });
    } else if (!REFUSED_BY_DATABASE.test(code)) {
      this.#differences.addLine(lineNumber, {
        expected: "a valid record to be loaded",
        found: `a reject (${code}: ${reject.reason})`,
      });
    }
  }

  /** @param record valid, and neither loaded nor kept as reject or duplicate */
  addUnkept(record: { lineNumber: number; texts: readonly (string | null)[] }): void {
    const { lineNumber, texts } = record;
    this.#lookups.push({ lineNumber, texts, kind: "unkept" });
  }

  /** Looks up what has gathered, if it is worth a query. */
  async flushFull(): Promise<void> {
    if (this.#lookups.length >= BATCH_KEYS) await this.flush();
  }

  async flush(): Promise<void> {
    const lookups = this.#lookups;
    this.#lookups = [];
    for (let from = 0; from < lookups.length; from += BATCH_KEYS) {
      await this.#lookUp(lookups.slice(from, from + BATCH_KEYS));
    }
  }

  /** @param record.key as the ledger has it; null if it keeps none */
  #compareKey(
    noun: string,
    record: { lineNumber: number; key: string | null; texts: readonly (string | null)[] },
  ): void {
    const { lineNumber, key, texts } = record;
    const recordKey = texts[this.#keyIndex]!;
    if (key === null || key === recordKey) return;
    this.#differences.addLine(lineNumber, {
      expected: `a ${noun} of key ${recordKey}`,
      found: `one of key ${key}`,
    });
  }

  async #lookUp(lookups: readonly Lookup[]): Promise<void> {
    const keys = lookups.map(({ texts }) => texts[this.#keyIndex]!);
    const stored = await this.#snapshot.contentByKey(keys);
    for (const { lineNumber, texts, kind } of lookups) {
      const key = texts[this.#keyIndex]!;
      const there = stored.get(key);
      if (kind === "unkept") {
        const isSame = there !== undefined &&
          this.#columns.every((_, index) => there[index] === texts[index]);
        this.unkept[isSame ? "duplicate" : "other"]++;
        continue;
      }
      if (there === undefined) {
        this.#differences.addLine(lineNumber, {
          expected: `key ${key} in the table, of which this is a ${kind}`,
          found: "no such row",
        });
        continue;
      }
      const otherIndex = this.#columns.findIndex((_, index) => there[index] !== texts[index]);
      const other = this.#columns[otherIndex];
      if (kind === "duplicate" && other !== undefined) {
        this.#differences.add({
          lineNumber,
          column: other.name,
          expected: showText(other, texts[otherIndex]!),
          found: `${showText(other, there[otherIndex]!)} in the row it is a duplicate of`,
        });
      } else if (kind === "key conflict" && other === undefined) {
        this.#differences.addLine(lineNumber, {
          expected: `a duplicate, for the row with key ${key} has the same content`,
          found: "a reject (key_conflict)",
        });
      }
    }
  }
}

/** A code given by the database, or that it kept the row out without one. */
const REFUSED_BY_DATABASE = /^(?:[0-9A-Z]{5}|row_skipped)$/;
