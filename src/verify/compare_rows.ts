import type { DerivedColumn, SourceColumn } from "../schema/schema.ts";
import { type Fate, type FatesOptions, readFates } from "./record_fates.ts";
import { verifiedColumns } from "./row_text.ts";
import { showText } from "./show_text.ts";
import type { StoredRow, VerifiedFile } from "./snapshot.ts";
import { Differences } from "./verify_report.ts";

/** Reads the file again, beside its rows in the order of lines, and names what differs. */
export async function compareRows(file: VerifiedFile, options: FatesOptions): Promise<void> {
  const rows = new RowQueue(options.snapshot.rowsOf(file.fileId));
  const comparison = new RowComparison(options);
  // what the ledger says was compared when the file was read first
  const fates = readFates(file, { ...options, differences: new Differences() });
  for await (const block of fates) {
    for (const fate of block) {
      if (fate.kind !== "loaded") continue;
      // a null is no number and so comes after all
      let row = rows.peek() ?? await rows.refill();
      while (row !== null && row.lineNumber !== null && row.lineNumber <= fate.lineNumber) {
        if (row.lineNumber === fate.lineNumber) comparison.offer(row, fate);
        else comparison.addExtra(row);
        rows.shift();
        row = rows.peek() ?? await rows.refill();
      }
      comparison.settle(fate);
    }
  }
  for (let row = await rows.refill(); row !== null; row = rows.peek() ?? await rows.refill()) {
    comparison.addExtra(row);
    rows.shift();
  }
}

type LoadedFate = Fate & { readonly kind: "loaded" };

/** Compares a record with the rows of its line, of which there should be one. */
class RowComparison {
  readonly #differences: Differences;
  readonly #columns: readonly (SourceColumn | DerivedColumn)[];
  readonly #keyIndex: number;
  /** The row of the line that has the record's key; until it comes, the first row of the line. */
  #match: StoredRow | null = null;
  #hasKey = false;

  constructor({ schema, differences }: FatesOptions) {
    this.#differences = differences;
    this.#columns = verifiedColumns(schema);
    this.#keyIndex = this.#columns.findIndex((column) => column.name === schema.key);
  }

  offer(row: StoredRow, fate: LoadedFate): void {
    const hasKey = row.texts[this.#keyIndex] === fate.texts[this.#keyIndex];
    if (this.#match === null || (hasKey && !this.#hasKey)) {
      if (this.#match !== null) this.addExtra(this.#match);
      this.#match = row;
      this.#hasKey = hasKey;
    } else {
      this.addExtra(row);
    }
  }

  /** All rows of the record's line were offered. */
  settle(fate: LoadedFate): void {
    const row = this.#match;
    this.#match = null;
    this.#hasKey = false;
    if (row === null) {
      const key = fate.texts[this.#keyIndex];
      this.#differences.addLine(fate.lineNumber, {
        expected: `a row with ${this.#keyName} ${key}`,
        found: "none",
      });
      return;
    }
    for (const [index, column] of this.#columns.entries()) {
      const expected = fate.texts[index]!;
      const found = row.texts[index]!;
      if (expected === found) continue;
      this.#differences.add({
        lineNumber: fate.lineNumber,
        column: column.name,
        expected: showText(column, expected),
        found: showText(column, found),
      });
    }
  }

  addExtra(row: StoredRow): void {
    const key = row.texts[this.#keyIndex] ?? "null";
    this.#differences.addLine(row.lineNumber, {
      expected: "no such row",
      found: `a row with ${this.#keyName} ${key}`,
    });
  }

  get #keyName(): string {
    return this.#columns[this.#keyIndex]!.name;
  }
}

/** Rows one by one out of pages. */
class RowQueue {
  readonly #pages: AsyncGenerator<StoredRow[]>;
  #page: StoredRow[] = [];
  #index = 0;

  constructor(pages: AsyncGenerator<StoredRow[]>) {
    this.#pages = pages;
  }

  /** The next row, null if the page is used up. */
  peek(): StoredRow | null {
    return this.#page[this.#index] ?? null;
  }

  shift(): void {
    this.#index++;
  }

  /** Gets the next page if this one is used up. @returns the next row, null after the last */
  async refill(): Promise<StoredRow | null> {
    if (this.#index >= this.#page.length) {
      const step = await this.#pages.next();
      this.#page = step.done ? [] : step.value;
      this.#index = 0;
    }
    return this.peek();
  }
}
