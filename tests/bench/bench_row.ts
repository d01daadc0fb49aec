/** One measurement. */
export interface BenchRow {
  /** What was measured, with its size. */
  readonly name: string;
  /** Empty if there is none. */
  readonly goal: string;
  /** The result, with its unit; or why there is none. */
  readonly figure: string;
  /** To the baseline of the same run. */
  readonly ratio?: string;
  /** What the ratio is to, with its figure. */
  readonly baseline?: string;
  /** True if the goal was met, or there is none. */
  readonly met: boolean;
  /** It could not be measured, or not in so short a time: the figure says why. */
  readonly isSkipped?: boolean;
}

/** A row that says why it was not measured. */
export function skippedRow({ name, goal, why }: {
  name: string;
  goal: string;
  why: string;
}): BenchRow {
  return { name, goal, figure: why, met: true, isSkipped: true };
}
