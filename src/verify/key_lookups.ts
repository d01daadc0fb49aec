import type { Schema, SourceColumn } from "../schema/schema.ts";
import { showText } from "./show_text.ts";
import type { LedgerDuplicate, LedgerReject, Snapshot } from "./snapshot.ts";
import type { Differences } from "./verify_report.ts";

/** Keys looked up with one query. */
const BATCH_KEYS = 500;

/** A valid record whose key must be in the table: with the same content, or with other content. */
interface Lookup {
  readonly lineNumber: number;
  /** What the record says of the CSV's columns, and of the derived ones. */
  readonly texts: readonly (string | null)[];
  readonly kind: "duplicate" | "key conflict";
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
  addDuplicate(duplicate: LedgerDuplicate, texts: readonly (string | null)[]): void {
    const { lineNumber, key } = duplicate;
    const recordKey = texts[this.#keyIndex]!;
    if (recordKey !== key) {
      this.#differences.addLine(lineNumber, {
        expected: `a duplicate of key ${recordKey}`,
        found: `one of key ${key}`,
      });
    }
    this.#lookups.push({ lineNumber, texts, kind: "duplicate" });
  }

  /** @param texts of the record, which is valid */
  addReject(reject: LedgerReject, texts: readonly (string | null)[]): void {
    const { lineNumber, code } = reject;
    if (code === "key_conflict") this.#lookups.push({ lineNumber, texts, kind: "key conflict" });
    else if (!SQLSTATE.test(code)) {
      this.#differences.addLine(lineNumber, {
        expected: "a valid record to be loaded",
        found: `a reject (${code}: ${reject.reason})`,
      });
    }
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

  async #lookUp(lookups: readonly Lookup[]): Promise<void> {
    const keys = lookups.map(({ texts }) => texts[this.#keyIndex]!);
    const stored = await this.#snapshot.contentByKey(keys);
    for (const { lineNumber, texts, kind } of lookups) {
      const key = texts[this.#keyIndex]!;
      const there = stored.get(key);
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

/** A code given by the database, which refused the row. */
const SQLSTATE = /^[0-9A-Z]{5}$/;
