/** What a check of `pgsluice doctor` is, and what it says. Adding one: its file, and its line in `checks.ts`. */
import type { Ground } from "./ground.ts";

/** `skipped`: it could not be made, because of what another check tells. From good to bad. */
export type CheckStatus = "ok" | "skipped" | "warning" | "problem";

export interface Finding {
  readonly status: CheckStatus;
  /** What was found, as part of a sentence; one line. */
  readonly found: string;
  /** What to do about it: a command or a setting. Null of what is ok or skipped. */
  readonly remedy: string | null;
}

export interface Check {
  /** Kebab case, and stays: programs read it. */
  readonly name: string;
  /** False where there is nothing of the kind to look at; always true unless given. */
  applies?(ground: Ground): boolean;
  /**
   * Looks, and changes nothing that stays. May hang: it is not waited for longer than the time limit.
   * What it throws is told as a warning, a {@linkcode Skip} as what it says.
   */
  look(ground: Ground): Promise<Finding>;
}

/** Thrown by a look that cannot be made; the message says why, where another check tells more. */
export class Skip extends Error {}

const GRAVITY: readonly CheckStatus[] = ["ok", "skipped", "warning", "problem"];

export function ok(found: string): Finding {
  return { status: "ok", found, remedy: null };
}

export function warning(found: string, remedy: string): Finding {
  return { status: "warning", found, remedy };
}

export function problem(found: string, remedy: string): Finding {
  return { status: "problem", found, remedy };
}

/** One finding of several: all that is wrong; if nothing is, all that was found. */
export function together(findings: readonly Finding[]): Finding {
  const status = worst(findings);
  const told = status === "ok" ? findings : findings.filter((each) => each.status !== "ok");
  const remedies = told.map(({ remedy }) => remedy).filter((remedy) => remedy !== null);
  return {
    status,
    found: told.map(({ found }) => found).join("; "),
    remedy: remedies.length === 0 ? null : [...new Set(remedies)].join("; "),
  };
}

/** The gravest status of some findings; `ok` of none. */
export function worst(findings: readonly Pick<Finding, "status">[]): CheckStatus {
  return GRAVITY[Math.max(0, ...findings.map(({ status }) => GRAVITY.indexOf(status)))]!;
}
