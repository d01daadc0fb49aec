/**
 * Local time in a zone of the IANA database, by way of `Temporal`, whose answers take microseconds
 * and are remembered.
 */

const DAY_SECONDS = 86_400;
/** Stretches remembered; then it starts afresh. No zone has had so many changes by 2037. */
const MAX_STRETCHES = 1024;

/** Time `[from, until)`, in seconds since 1970, in which a zone has one offset. */
interface Stretch {
  readonly from: number;
  readonly until: number;
  readonly offset: number;
}

/**
 * True for `UTC`, `Europe/Berlin` and the like, in any case. Offsets like `+02:00` are none, for
 * PostgreSQL takes them for the opposite.
 */
export function isTimeZone(name: string): boolean {
  if (/^[+-]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const zones = new Map<string, TimeZone>();

/**
 * The zone of this name, one for all who ask: what it learned serves the next file as well.
 * @throws RangeError if there is no such zone
 */
export function timeZoneNamed(name: string): TimeZone {
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = new TimeZone(name);
    zones.set(name, zone);
  }
  return zone;
}

/** What `TimeZone.instantOf` found out last. */
export type LocalTimeKind = "plain" | "ambiguous" | "skipped";

export class TimeZone {
  readonly name: string;
  /** How the local time of the last `instantOf` lies. */
  kind: LocalTimeKind = "plain";
  /** Those met, in order of time; there may be gaps between them. */
  #stretches: Stretch[] = [];
  /** The one asked for last. */
  #last: Stretch;

  /** @throws RangeError if there is no such zone */
  constructor(name: string) {
    this.name = name;
    this.#last = this.#learn(0);
  }

  /** What is added to UTC, in seconds, at `epochSeconds` since 1970. */
  offsetAt(epochSeconds: number): number {
    const last = this.#last;
    if (epochSeconds >= last.from && epochSeconds < last.until) return last.offset;
    this.#last = this.#recall(epochSeconds) ?? this.#learn(epochSeconds);
    return this.#last.offset;
  }

  /**
   * The instant of a local time given as if it were UTC, in seconds since 1970. Of one that occurs
   * twice the first; of one that does not exist NaN. `kind` says which it was.
   */
  instantOf(localSeconds: number): number {
    const { from, until, offset } = this.#last;
    this.kind = "plain";
    // no offset is as large as a day, so no other stretch can hold it
    if (localSeconds - DAY_SECONDS >= from && localSeconds + DAY_SECONDS < until) {
      return localSeconds - offset;
    }
    let first = NaN;
    for (let shift = -DAY_SECONDS; shift <= DAY_SECONDS; shift += DAY_SECONDS) {
      const instant = localSeconds - this.offsetAt(localSeconds + shift);
      if (instant + this.offsetAt(instant) !== localSeconds || instant === first) continue;
      this.kind = Number.isNaN(first) ? "plain" : "ambiguous";
      first = Number.isNaN(first) ? instant : Math.min(first, instant);
    }
    if (Number.isNaN(first)) this.kind = "skipped";
    return first;
  }

  #recall(epochSeconds: number): Stretch | null {
    const stretch = this.#stretches[this.#placeOf(epochSeconds)];
    return stretch !== undefined && stretch.from <= epochSeconds ? stretch : null;
  }

  #learn(epochSeconds: number): Stretch {
    if (this.#stretches.length === MAX_STRETCHES) this.#stretches = [];
    const zoned = Temporal.Instant.fromEpochMilliseconds(epochSeconds * 1000)
      .toZonedDateTimeISO(this.name);
    // "previous" is before the instant given, so it is given one that is later
    const previous = zoned.add({ nanoseconds: 1 }).getTimeZoneTransition("previous");
    const next = zoned.getTimeZoneTransition("next");
    const stretch = {
      from: previous === null ? -Infinity : previous.epochMilliseconds / 1000,
      until: next === null ? Infinity : next.epochMilliseconds / 1000,
      offset: zoned.offsetNanoseconds / 1e9,
    };
    this.#stretches.splice(this.#placeOf(epochSeconds), 0, stretch);
    return stretch;
  }

  /** Place of the first stretch that ends after `epochSeconds`. */
  #placeOf(epochSeconds: number): number {
    let low = 0;
    let high = this.#stretches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#stretches[middle]!.until > epochSeconds) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
