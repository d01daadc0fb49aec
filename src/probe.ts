/**
 * The operations of an ingester that a crash or a fault can fall on, each named just before it
 * happens (those in the past tense: just after). The crash campaigns throw here, which is that the
 * operation failed, or kill the process; what was promised must hold all the same.
 */
export type ProbePoint =
  | "folder.scan"
  | "file.look"
  | "file.open"
  | "file.read"
  | "file.move"
  | "file.moved"
  | "file.delete"
  | "sink.connect"
  | "sink.begin"
  | "sink.copy"
  /** Some of the rows were sent. */
  | "sink.copying"
  | "sink.keep"
  | "sink.move"
  | "sink.commit"
  /** The server has committed; the ingester has not yet heard. */
  | "sink.committed"
  /** The batch was rolled back, or its outcome is unknown. */
  | "sink.rolled-back"
  | "ledger.load"
  | "ledger.mark"
  | "ledger.take-back"
  | "journal.append"
  | "journal.appended"
  | "journal.compact"
  | "journal.rename";

/** @throws what the operation should fail with */
export type Probe = (point: ProbePoint) => void;

export const noProbe: Probe = () => {};
