/** Clock times of one time zone, by way of `Temporal`. Verify's own, apart from the ingester's. */

const DAY_SECONDS = 86_400;
/** Days whose offset is remembered; then it starts afresh. */
const REMEMBERED_DAYS = 10_000;

export class ZoneClock {
  readonly #timeZone: string;
  /** By day since 1970: the offset that holds from the day before to the day after, if one does. */
  readonly #offsets = new Map<number, number | null>();

  /** @throws RangeError if there is no such zone */
  constructor(timeZone: string) {
    this.#timeZone = timeZone;
    this.#zoned(0);
  }

  /** Seconds to add to UTC, at `epochSeconds` since 1970. */
  offsetAt(epochSeconds: number): number {
    return this.#steadyOffset(epochSeconds) ?? offsetSeconds(this.#zoned(epochSeconds));
  }

  /**
   * The instant of a clock time given as if it were UTC, in seconds since 1970; of one that comes
   * twice the first, of one that is skipped null.
   */
  instantOf(localSeconds: number): number | null {
    const steady = this.#steadyOffset(localSeconds);
    if (steady !== null) return localSeconds - steady;
    const local = this.#utc(localSeconds).toPlainDateTime();
    const instant = local.toZonedDateTime(this.#timeZone, { disambiguation: "earlier" });
    if (!instant.toPlainDateTime().equals(local)) return null;
    return instant.epochMilliseconds / 1000;
  }

  #steadyOffset(seconds: number): number | null {
    const day = Math.floor(seconds / DAY_SECONDS);
    let offset = this.#offsets.get(day);
    if (offset === undefined) {
      if (this.#offsets.size === REMEMBERED_DAYS) this.#offsets.clear();
      offset = this.#offsetAround(day);
      this.#offsets.set(day, offset);
    }
    return offset;
  }

  #offsetAround(day: number): number | null {
    const before = this.#zoned((day - 1) * DAY_SECONDS);
    const change = before.getTimeZoneTransition("next");
    const changesAt = change === null ? Infinity : change.epochMilliseconds / 1000;
    return changesAt > (day + 2) * DAY_SECONDS ? offsetSeconds(before) : null;
  }

  #zoned(epochSeconds: number): Temporal.ZonedDateTime {
    return Temporal.Instant.fromEpochMilliseconds(epochSeconds * 1000)
      .toZonedDateTimeISO(this.#timeZone);
  }

  #utc(seconds: number): Temporal.ZonedDateTime {
    return Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO("UTC");
  }
}

function offsetSeconds(zoned: Temporal.ZonedDateTime): number {
  return zoned.offsetNanoseconds / 1e9;
}
