/**
 * When rows are visible to others: a connection of the bench's own asks for them, a millisecond after
 * the answer before. So what is told is late by an answer and that pause, never early.
 */
import type { Sql } from "../../src/database/connect.ts";
import { TABLE } from "./target_table.ts";

const PAUSE_MS = 1;
const KEY_LENGTH = 36;

export class VisibleRows {
  readonly #sql: Sql;
  /** By key, since when it is awaited. */
  readonly #awaited = new Map<string, number>();
  readonly latenciesMs: number[] = [];

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** @param sinceMs as `performance.now()` counts */
  expect(key: string, sinceMs: number): void {
    this.#awaited.set(key, sinceMs);
  }

  /** Looks until `isOver` is true and nothing more is awaited. @throws if that takes too long */
  async watch({ isOver, timeoutMs }: { isOver: () => boolean; timeoutMs: number }): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!isOver() || this.#awaited.size > 0) {
      if (performance.now() > deadlineMs) {
        throw new Error(`rows of ${this.#awaited.size} files are not visible`);
      }
      if (this.#awaited.size > 0) await this.#look();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #look(): Promise<void> {
    const found = await this.#sql<{ key: string }[]>`
      select event_id::text as key
      from ${this.#sql(TABLE)}
      where event_id = any(${[...this.#awaited.keys()]}::uuid[])`;
    const seenMs = performance.now();
    for (const { key } of found) {
      this.latenciesMs.push(seenMs - this.#awaited.get(key)!);
      this.#awaited.delete(key);
    }
  }
}

/** The key of a CSV's last record: rows of a file become visible in the file's order. */
export async function lastKey(file: string): Promise<string> {
  const text = (await Deno.readTextFile(file)).trimEnd();
  return text.slice(text.lastIndexOf("\n") + 1).slice(0, KEY_LENGTH);
}
