import type { DerivedColumn, Schema, SourceColumn } from "../schema/schema.ts";
import { verifiedColumns } from "./row_text.ts";
import { showText } from "./show_text.ts";
import type { Snapshot, StoredRow } from "./snapshot.ts";
import type { Differences } from "./verify_report.ts";

/** A record that may have a row: its line, and what it says of the columns. */
export interface LineRecord {
  readonly lineNumber: number;
  readonly texts: readonly (string | null)[];
}

/**
 * A file's rows in the table, in the order of lines, beside its records, which come in that order
 * too. Rows that no record has are named on the way.
 */
export class RowsByLine {
  readonly #rows: RowQueue;
  readonly #differences: Differences;
  readonly #columns: readonly (SourceColumn | DerivedColumn)[];
  readonly #keyIndex: number;

  constructor(
    fileId: number,
    options: { schema: Schema; snapshot: Snapshot; differences: Differences },
  ) {
    const { schema, snapshot, differences } = options;
    this.#rows = new RowQueue(snapshot.rowsOf(fileId));
    this.#differences = differences;
    this.#columns = verifiedColumns(schema);
    this.#keyIndex = this.#columns.findIndex((column) => column.name === schema.key);
  }

  /**
   * Compares the record with the rows of its line, of which there should be one.
   * @returns whether there is any
   */
  async compare(record: LineRecord): Promise<boolean> {
    const rows = this.#rows;
    /** The row of the line that has the record's key; until it comes, the first of the line. */
    let match: StoredRow | null = null;
    // a null is no number and so comes after all
    let row = rows.peek() ?? await rows.refill();
    while (row !== null && row.lineNumber !== null && row.lineNumber <= record.lineNumber) {
      if (row.lineNumber < record.lineNumber) {
        this.#addExtra(row);
      } else if (match === null) {
        match = row;
      } else if (this.#hasKey(row, record) && !this.#hasKey(match, record)) {
        this.#addExtra(match);
        match = row;
      } else {
        this.#addExtra(row);
      }
      rows.shift();
      row = rows.peek() ?? await rows.refill();
    }
    if (match !== null) this.#compareColumns(match, record);
    return match !== null;
  }

  /** Names a record that should have a row. */
  addMissing({ lineNumber, texts }: LineRecord): void {
    this.#differences.addLine(lineNumber, {
      expected: `a row with ${this.#keyName} ${texts[this.#keyIndex]}`,
      found: "none",
    });
  }

  /** All records were compared: names the rows that are left. */
  async finish(): Promise<void> {
    const rows = this.#rows;
    for (let row = await rows.refill(); row !== null; row = rows.peek() ?? await rows.refill()) {
      this.#addExtra(row);
      rows.shift();
    }
  }

  #compareColumns(row: StoredRow, { lineNumber, texts }: LineRecord): void {
    for (const [index, column] of this.#columns.entries()) {
      const expected = texts[index]!;
      const found = row.texts[index]!;
      if (expected === found) continue;
      this.#differences.add({
        lineNumber,
        column: column.name,
        expected: showText(column, expected),
        found: showText(column, found),
      });
    }
  }

  #addExtra(row: StoredRow): void {
    const key = row.texts[this.#keyIndex] ?? "null";
    this.#differences.addLine(row.lineNumber, {
      expected: "no such row",
      found: `a row with ${this.#keyName} ${key}`,
    });
  }

  #hasKey(row: StoredRow, record: LineRecord): boolean {
    return row.texts[this.#keyIndex] === record.texts[this.#keyIndex];
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
