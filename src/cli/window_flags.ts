/** The flags that say a window of time, with `sinceFlag`, and what they say. */
import type { Flag, FlagValues } from "./command.ts";
import { parseMoment } from "./moment.ts";
import { usageError } from "./usage_error.ts";

export const untilFlag: Flag = {
  name: "until",
  kind: "text",
  placeholder: "INSTANT",
  summary: "up to there",
};

/** As `runReport` and `exportEvents` are asked: what was not said is absent. */
export interface AskedWindow {
  readonly sinceMs?: number;
  readonly sinceAgoMs?: number;
  readonly untilMs?: number;
}

/**
 * What `--since` and `--until` say, by the time zone that times without an offset are in.
 * @param options.command whose help explains them
 * @throws {PgsluiceError} `usage`
 */
export function windowFromFlags(
  flags: FlagValues,
  options: { command: string },
): (timeZone: string) => AskedWindow {
  const since = parseMoment(flags.text("since") ?? "");
  const untilText = flags.text("until");
  const until = parseMoment(untilText ?? "");
  if (untilText !== undefined && until?.kind !== "instant") {
    throw usageError(
      `${flags.givenBy("until")!.place}: expected a date or a date and time such as 2025-01-31 ` +
        `or 2025-01-31T08:00, got ${JSON.stringify(untilText)}`,
      `pgsluice help ${options.command}`,
    );
  }
  return (timeZone) => ({
    ...(since?.kind === "ago" && { sinceAgoMs: since.durationMs }),
    ...(since?.kind === "instant" && { sinceMs: since.at(timeZone) }),
    ...(until?.kind === "instant" && { untilMs: until.at(timeZone) }),
  });
}
