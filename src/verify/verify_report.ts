/** What a verification found. */

/** One place where file, ledger and table do not agree. */
export interface Difference {
  /** Physical line of the file, from 1; null if it is not about one line. */
  readonly lineNumber: number | null;
  /** Null if it is about the record or the file as a whole. */
  readonly column: string | null;
  readonly expected: string;
  readonly found: string;
}

/** Differences of one file: the first ones found are kept, the rest counted. */
export class Differences {
  readonly #kept: Difference[] = [];
  count = 0;

  /** Those kept, by line; those of no line come last. */
  get first(): Difference[] {
    const line = ({ lineNumber }: Difference) => lineNumber ?? Number.MAX_SAFE_INTEGER;
    return this.#kept.toSorted((a, b) => line(a) - line(b));
  }

  add(difference: Difference): void {
    this.count++;
    if (this.#kept.length < KEPT_DIFFERENCES) this.#kept.push(difference);
  }

  /** Of the file as a whole. */
  addFact(fact: { expected: string; found: string }): void {
    this.add({ lineNumber: null, column: null, ...fact });
  }

  /** Of one record. */
  addLine(lineNumber: number | null, fact: { expected: string; found: string }): void {
    this.add({ lineNumber, column: null, ...fact });
  }

  /** Compares two counts. */
  addCount(noun: string, counts: { expected: number; found: number }): void {
    if (counts.expected === counts.found) return;
    this.addFact({ expected: `${counts.expected} ${noun}`, found: String(counts.found) });
  }
}

/** How many differences of a file are kept. */
const KEPT_DIFFERENCES = 10;

/**
 * `exact`: the file's bytes, the ledger and the table agree. `differs`: they do not.
 * `source gone`: the bytes can no longer be read; the ledger agrees with the table.
 * `expired`: every row equals its record; of those that are not loaded only the totals are kept, and
 * they agree. `failed`, `held`: not loaded, for the reason given. `same`: nothing loaded, because its
 * content is that of another file. `undone`: its rows were taken out. `skipped`: it was to be left
 * out from the beginning.
 */
export type FileVerdict =
  | "exact"
  | "differs"
  | "source gone"
  | "expired"
  | "failed"
  | "held"
  | "same"
  | "undone"
  | "skipped";

export interface FileReport {
  /** Relative to the source. */
  readonly path: string;
  readonly generation: number;
  readonly verdict: FileVerdict;
  /** What there is to say about the verdict. */
  readonly reason: string | null;
  readonly committedBytes: number;
  /** Of an exact file as read in it, else as the ledger says. */
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  /** The first ones. */
  readonly differences: readonly Difference[];
  /** All of them. */
  readonly differenceCount: number;
}

/** One fact of the generator's manifest against the ledger or table. */
export interface ManifestFact {
  readonly name: string;
  readonly expected: string;
  readonly found: string;
}

export interface VerifyReport {
  readonly pipeline: string;
  /** Real path of the folder, or the stream. */
  readonly source: string;
  readonly table: string;
  /** By path, then generation. */
  readonly files: readonly FileReport[];
  readonly events: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  /** Rows of the table that no file of the ledger accounts for; the first ones. */
  readonly strays: readonly Difference[];
  readonly strayCount: number;
  /** Minutes whose sums are not those of the table's rows; the first ones. */
  readonly sums: readonly Difference[];
  readonly sumCount: number;
  /** Differences from the manifest; null if none was given. */
  readonly manifest: readonly ManifestFact[] | null;
  /** Differences of every kind. */
  readonly differenceCount: number;
  /** True if there is none. Files whose source is gone, or that were not loaded, are no difference. */
  readonly isExact: boolean;
  /** `verified: 5 events = 3 loaded + 1 rejected + 1 duplicates`, or `differs: …`. */
  readonly summary: string;
}

/** The report's last line. */
export function verifySummary(
  report: Omit<VerifyReport, "summary">,
): string {
  const { events, loaded, rejected, duplicate, files, strayCount, sumCount, manifest } = report;
  if (report.isExact) {
    return `verified: ${events} events = ${loaded} loaded + ${rejected} rejected + ` +
      `${duplicate} duplicates`;
  }
  const differing = files.filter((file) => file.verdict === "differs").length;
  const places = [
    ...(differing > 0 ? [`${differing} of ${files.length} files`] : []),
    ...(strayCount > 0 ? ["rows of no file"] : []),
    ...(sumCount > 0 ? ["the sums by minute"] : []),
    ...(manifest !== null && manifest.length > 0 ? ["the manifest"] : []),
  ];
  const noun = report.differenceCount === 1 ? "difference" : "differences";
  return `differs: ${report.differenceCount} ${noun} in ${places.join(", ")}`;
}
