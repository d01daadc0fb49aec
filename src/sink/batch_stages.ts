/**
 * Where the time of a batch goes, in ms. Taken by chunk and by batch, never by record. What a batch
 * spends waiting for its source is in none of them; stages of several batches pass side by side.
 */
export interface BatchStages {
  /** Reading its bytes. */
  readMs: number;
  /** Making rows and rejects of them, and hashing. */
  decodeMs: number;
  /** Waiting for a free connection. */
  queueMs: number;
  /** Beginning the transaction and sending rows, until the server has taken them. */
  copyMs: number;
  /** Waiting for older batches to commit. */
  turnMs: number;
  /** Keeping rejects and duplicates, and moving the ledger. */
  ledgerMs: number;
  commitMs: number;
}

export type StageName = keyof BatchStages;

/** In the order in which a batch passes them. */
export const STAGE_NAMES: readonly StageName[] = [
  "readMs",
  "decodeMs",
  "queueMs",
  "copyMs",
  "turnMs",
  "ledgerMs",
  "commitMs",
];

export function noStages(): BatchStages {
  return {
    readMs: 0,
    decodeMs: 0,
    queueMs: 0,
    copyMs: 0,
    turnMs: 0,
    ledgerMs: 0,
    commitMs: 0,
  };
}
