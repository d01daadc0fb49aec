/** When a file or stream has so many rejects that it is not loaded any further. */
import { FileFault } from "./file_cursor.ts";
import type { RejectBudget } from "./ingest_options.ts";

export interface RejectCounts {
  readonly records: number;
  readonly rejects: number;
}

/** A share counts from so many records on; and so many rejects at a file's start are all too many. */
const ENOUGH_RECORDS = 1_000;

/** Of what is committed of a file. */
export function countsOf(
  { loaded, rejected, duplicate }: { loaded: number; rejected: number; duplicate: number },
): RejectCounts {
  return { records: loaded + rejected + duplicate, rejects: rejected };
}

/** What ends the loading of a file with these counts; null while nothing does. */
export function budgetFault(
  budget: RejectBudget,
  { records, rejects }: RejectCounts,
): FileFault | null {
  const isPassed = budget.kind === "count"
    ? rejects > budget.rejects
    : records >= ENOUGH_RECORDS && 100 * rejects > budget.percent * records;
  if (!isPassed) return null;
  const allowed = budget.kind === "count" ? String(budget.rejects) : `${budget.percent} %`;
  return new FileFault(
    "too_many_rejects",
    `${rejects} of its ${records} records are rejects, and --max-rejects allows ${allowed}`,
  );
}

/** Counts the records of one file while it is read. */
export class RejectCounter {
  readonly #budget: RejectBudget | null;
  #records: number;
  #rejects: number;

  /** @param options.budget Null: only a start of nothing but rejects is too many. */
  constructor({ budget, before }: { budget: RejectBudget | null; before: RejectCounts }) {
    this.#budget = budget;
    this.#records = before.records;
    this.#rejects = before.rejects;
  }

  addRow(): void {
    this.#records++;
  }

  addReject(): void {
    this.#records++;
    this.#rejects++;
  }

  /** Why nothing more is to be read; null while there is no reason. */
  fault(): FileFault | null {
    const counts = { records: this.#records, rejects: this.#rejects };
    if (this.#budget !== null) return budgetFault(this.#budget, counts);
    if (counts.rejects < ENOUGH_RECORDS || counts.rejects < counts.records) return null;
    return new FileFault(
      "all_rejected",
      `its first ${counts.records} records are all rejects: is it of this schema?`,
    );
  }
}
