import type { ColumnPlan } from "./column_plan.ts";
import type { Schema } from "./schema.ts";
import type { TimeZone } from "./time_zone.ts";
import { TimestampEncoder } from "./timestamp_encoder.ts";
import type { TupleBuffer } from "./tuple_buffer.ts";

/** Days from 1970 to 2000, where PostgreSQL's time begins. */
const POSTGRES_EPOCH_DAYS = 10_957;
const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

interface Derivation {
  readonly from: TimestampEncoder;
  readonly kind: "date" | "hour";
}

/** The columns that are made from a timestamp of the same record. */
export class DerivedColumns {
  readonly #derivations: readonly Derivation[];
  readonly #timeZone: TimeZone;
  /** The hour of local time met last, for hours come in runs: its start, and what is put for it. */
  #hourStart = NaN;
  #day = 0;
  #hour = 0;

  /** @param plans those of the schema's columns, of which one's timestamp was read last */
  constructor(
    schema: Schema,
    { plans, timeZone }: { plans: readonly ColumnPlan[]; timeZone: TimeZone },
  ) {
    this.#timeZone = timeZone;
    this.#derivations = schema.derived.map(({ from, derivation }) => ({
      from: timestampNamed(plans, from),
      kind: derivation,
    }));
  }

  /** Appends them, for the timestamps that were read last. */
  put(out: TupleBuffer): void {
    for (let index = 0; index < this.#derivations.length; index++) {
      const { from, kind } = this.#derivations[index]!;
      const local = from.seconds + this.#timeZone.offsetAt(from.seconds);
      const intoHour = local - this.#hourStart;
      if (!(intoHour >= 0 && intoHour < HOUR_SECONDS)) this.#findHour(local);
      if (kind === "date") {
        out.putInt32(4);
        out.putInt32(this.#day);
      } else {
        out.putInt32(2);
        out.putInt16(this.#hour);
      }
    }
  }

  #findHour(local: number): void {
    const day = Math.floor(local / DAY_SECONDS);
    const hour = Math.floor((local - day * DAY_SECONDS) / HOUR_SECONDS);
    this.#hourStart = day * DAY_SECONDS + hour * HOUR_SECONDS;
    this.#day = day - POSTGRES_EPOCH_DAYS;
    this.#hour = hour;
  }
}

function timestampNamed(plans: readonly ColumnPlan[], name: string): TimestampEncoder {
  const encoder = plans.find(({ column }) => column.name === name)?.encoder;
  if (encoder instanceof TimestampEncoder) return encoder;
  throw new TypeError(`a column is derived from ${name}, which is no timestamptz column`);
}
