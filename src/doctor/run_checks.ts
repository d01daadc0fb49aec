import { databaseError, isConnectionError, sqlState } from "../database/fault.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { type Check, type Finding, problem, Skip, warning } from "./check.ts";
import type { Ground } from "./ground.ts";
import { reasonOf } from "./reason_of.ts";

export interface CheckResult extends Finding {
  readonly name: string;
}

/** No check is waited for longer; that the database answers is waited for less long. */
const CHECK_LIMIT_MS = 10_000;

/**
 * Makes the checks that apply, side by side, each by itself: one that fails or hangs says so, and the
 * others go on. Never rejects.
 *
 * @returns in the order of the checks
 */
export async function runChecks(
  checks: readonly Check[],
  ground: Ground,
  { limitMs = CHECK_LIMIT_MS }: { limitMs?: number } = {},
): Promise<CheckResult[]> {
  return await Promise.all(
    checks
      .filter((check) => check.applies?.(ground) ?? true)
      .map(async (check) => ({ name: check.name, ...await limited(check, ground, limitMs) })),
  );
}

async function limited(check: Check, ground: Ground, limitMs: number): Promise<Finding> {
  let timer: number | undefined;
  const timeout = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve(hung(limitMs)), limitMs);
  });
  try {
    return await Promise.race([look(check, ground), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

async function look(check: Check, ground: Ground): Promise<Finding> {
  try {
    return await check.look(ground);
  } catch (error) {
    if (error instanceof Skip) return { status: "skipped", found: error.message, remedy: null };
    return notMade(error);
  }
}

function hung(limitMs: number): Finding {
  return problem(
    `no answer within ${limitMs / 1000} s`,
    "see whether the file system or the network that it needs is stuck (`mount`, `df`, `ping`)",
  );
}

function notMade(error: unknown): Finding {
  const isOfDatabase = sqlState(error) !== undefined || isConnectionError(error);
  const told = isOfDatabase ? databaseError(error, "asking the server") : error;
  return warning(
    `could not be looked at: ${reasonOf(told)}`,
    told instanceof PgsluiceError ? told.hint : "mend that, then run `pgsluice doctor` again",
  );
}
