/** One measurement. */
export interface BenchRow {
  /** What was measured, with its size. */
  readonly name: string;
  /** Empty if there is none. */
  readonly goal: string;
  /** The result, with its unit. */
  readonly figure: string;
  /** To a baseline of the same run. */
  readonly ratio?: string;
  /** True if the goal was met, or there is none. */
  readonly met: boolean;
}
