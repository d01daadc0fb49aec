import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { IngestOptions, RejectBudget } from "../pipeline/ingest_options.ts";
import type { Flag, FlagValues } from "./command.ts";

/** How batches are cut and how many are under way, unless flags say it. */
const DEFAULTS = {
  /** At most. */
  rows: 20_000,
  sizeBytes: 8 * 1024 * 1024,
  lingerMs: 20,
  settleMs: 5_000,
  /** At most; fewer on a machine of fewer than three cores. */
  connections: 4,
  /** PostgreSQL's own limit is far beyond; past this a server has no use for more. */
  mostConnections: 64,
} as const;

/** Longest record accepted, in bytes. */
export const MAX_RECORD_BYTES = 1024 * 1024;

export const INGEST_FLAGS: readonly Flag[] = [
  {
    name: "batch-rows",
    kind: "whole",
    placeholder: "N",
    summary: "a batch is cut at so many records",
    defaultText: "found out from what batches cost, at most 20000",
  },
  {
    name: "batch-bytes",
    kind: "bytes",
    placeholder: "SIZE",
    summary: "or at so many bytes of input",
    defaultText: "8MiB",
  },
  {
    name: "linger",
    kind: "duration",
    placeholder: "TIME",
    summary: "or when it has waited so long; while the database is idle it does not wait",
    defaultText: "20ms",
  },
  {
    name: "connections",
    kind: "whole",
    placeholder: "N",
    summary: "how many batches are in the database at a time",
    defaultText: "found out by trying, 2 to 4, at most one more than this machine has cores",
  },
  {
    name: "settle",
    kind: "duration",
    placeholder: "TIME",
    summary: "a last record without a newline is taken when its file was quiet so long",
    defaultText: "5s",
  },
  {
    name: "max-rejects",
    kind: "text",
    placeholder: "N|P%",
    summary: "a file with more rejects loads nothing; P counts from 1,000 records on",
    defaultText: "any number, unless the first 1,000 records all are rejects",
  },
];

/** @throws PgsluiceError `usage` for a number out of range */
export function ingestLimits(
  flags: FlagValues,
): Pick<IngestOptions, "limits" | "connections" | "tuned" | "settleMs" | "maxRejects"> {
  const rows = flags.number("batch-rows") ?? DEFAULTS.rows;
  const sizeBytes = flags.number("batch-bytes") ?? DEFAULTS.sizeBytes;
  const connections = flags.number("connections") ??
    Math.min(DEFAULTS.connections, navigator.hardwareConcurrency + 1);
  const wrong = rows < 1
    ? `--batch-rows ${rows}: expected 1 or more`
    : sizeBytes < 1
    ? `--batch-bytes ${sizeBytes}: expected 1 or more`
    : connections < 1 || connections > DEFAULTS.mostConnections
    ? `--connections ${connections}: expected 1 to ${DEFAULTS.mostConnections}`
    : null;
  if (wrong !== null) {
    throw new PgsluiceError("usage", wrong, {
      hint: "leave it out for the default",
      exitCode: EXIT.usage,
    });
  }
  return {
    limits: { rows, sizeBytes, lingerMs: flags.number("linger") ?? DEFAULTS.lingerMs },
    connections,
    tuned: {
      batchRows: flags.number("batch-rows") === undefined,
      connections: flags.number("connections") === undefined,
    },
    settleMs: flags.number("settle") ?? DEFAULTS.settleMs,
    maxRejects: rejectBudget(flags.text("max-rejects")),
  };
}

function rejectBudget(text: string | undefined): RejectBudget | null {
  if (text === undefined) return null;
  const [, number, sign] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.replaceAll("_", "")) ?? [];
  const value = Number(number);
  if (sign === "%" && value <= 100) return { kind: "share", percent: value };
  if (sign === "" && Number.isSafeInteger(value)) return { kind: "count", rejects: value };
  throw new PgsluiceError(
    "usage",
    `--max-rejects: expected a number or a percentage, got ${JSON.stringify(text)}`,
    { hint: "as in --max-rejects 100 or --max-rejects 0.5%", exitCode: EXIT.usage },
  );
}
