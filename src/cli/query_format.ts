import type { FlagValues } from "./command.ts";

export const QUERY_FORMATS = ["table", "csv", "json", "ndjson", "markdown"] as const;

export type QueryFormat = typeof QUERY_FORMATS[number];

/** A table is made when all of its rows are there; longer ones nobody reads. */
export const TABLE_ROWS = 10_000;

/** What `--format` says; `--json` is another way to write one of them. */
export function formatFromFlags(flags: FlagValues): QueryFormat {
  const format = flags.text("format") as QueryFormat | undefined;
  return format ?? (flags.switch("json") ? "json" : "table");
}
