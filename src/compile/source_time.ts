import type { Commit } from "../git_commit.ts";

/** Of sources that nobody knows the age of. */
const UNKNOWN_SECONDS = 1_000_000_000;

/**
 * The time that all of what is built gets, in seconds since 1970: `SOURCE_DATE_EPOCH`, else the
 * commit's.
 *
 * @see https://reproducible-builds.org/specs/source-date-epoch/
 */
export function sourceTime(commit: Commit | null): number {
  const given = Deno.env.get("SOURCE_DATE_EPOCH") ?? "";
  if (/^\d+$/.test(given)) return Number(given);
  return commit?.epochSeconds ?? UNKNOWN_SECONDS;
}
