/** Local time in a zone of the IANA database, by way of `Intl`. */

const DAY_SECONDS = 86_400;
/** Days whose offset is remembered; then it starts afresh. Covers 27 years. */
const REMEMBERED_DAYS = 10_000;

/** True for names that `Intl` knows: `UTC`, `Europe/Berlin`, … */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** What `TimeZone.instantOf` found out last. */
export type LocalTimeKind = "plain" | "ambiguous" | "skipped";

export class TimeZone {
  readonly #format: Intl.DateTimeFormat | null;
  /** By day since 1970: the offset that holds from the day before to the day after; else NaN. */
  readonly #steadyOffsets = new Map<number, number>();
  #lastDay = NaN;
  #lastOffset = NaN;
  /** How the local time of the last `instantOf` lies. */
  kind: LocalTimeKind = "plain";

  /** @throws RangeError if there is no such zone */
  constructor(name: string) {
    // UTC needs no calendar
    this.#format = /^(?:etc\/)?utc$/i.test(name) ? null : new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** What is added to UTC, in seconds, at `epochSeconds` since 1970. */
  offsetAt(epochSeconds: number): number {
    if (this.#format === null) return 0;
    const steady = this.#steadyOffset(Math.floor(epochSeconds / DAY_SECONDS));
    return Number.isNaN(steady) ? this.#lookUp(epochSeconds) : steady;
  }

  /**
   * The instant of a local time given as if it were UTC, in seconds since 1970. Of one that occurs
   * twice the first; of one that does not exist NaN. `kind` says which it was.
   */
  instantOf(localSeconds: number): number {
    this.kind = "plain";
    if (this.#format === null) return localSeconds;
    const steady = this.#steadyOffset(Math.floor(localSeconds / DAY_SECONDS));
    if (!Number.isNaN(steady)) return localSeconds - steady;
    const before = this.#lookUp(localSeconds - DAY_SECONDS);
    const after = this.#lookUp(localSeconds + DAY_SECONDS);
    const first = localSeconds - Math.max(before, after);
    const second = localSeconds - Math.min(before, after);
    const isFirst = localSeconds - this.#lookUp(first) === first;
    const isSecond = localSeconds - this.#lookUp(second) === second;
    if (isFirst && isSecond && first !== second) this.kind = "ambiguous";
    if (!isFirst && !isSecond) this.kind = "skipped";
    return isFirst ? first : isSecond ? second : NaN;
  }

  #steadyOffset(day: number): number {
    if (day === this.#lastDay) return this.#lastOffset;
    let offset = this.#steadyOffsets.get(day);
    if (offset === undefined) {
      if (this.#steadyOffsets.size === REMEMBERED_DAYS) this.#steadyOffsets.clear();
      const before = this.#lookUp((day - 1) * DAY_SECONDS);
      const after = this.#lookUp((day + 2) * DAY_SECONDS);
      offset = before === after ? before : NaN;
      this.#steadyOffsets.set(day, offset);
    }
    this.#lastDay = day;
    this.#lastOffset = offset;
    return offset;
  }

  #lookUp(epochSeconds: number): number {
    const fields: Record<string, string> = {};
    for (const { type, value } of this.#format!.formatToParts(epochSeconds * 1000)) {
      fields[type] = value;
    }
    const { era, year, month, day, hour, minute, second } = fields;
    const astronomicalYear = era?.startsWith("B") ? 1 - Number(year) : Number(year);
    const local = new Date(0);
    local.setUTCFullYear(astronomicalYear, Number(month) - 1, Number(day));
    local.setUTCHours(Number(hour), Number(minute), Number(second));
    return local.getTime() / 1000 - epochSeconds;
  }
}
