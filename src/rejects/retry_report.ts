/** What `pgsluice rejects retry` tells. */

export interface KeptReject {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  /** Null if there was nothing to decide by: the ledger keeps the reason it had. */
  readonly code: string | null;
  readonly reason: string;
}

export interface RetryReport {
  readonly loaded: number;
  readonly duplicate: number;
  /** Still rejected. */
  readonly kept: number;
  /** The first of them. */
  readonly firstKept: readonly KeptReject[];
}
