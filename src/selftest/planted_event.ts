/** Events that the self-test plants: each has a name of its own, by which it is looked for. */
import { createHash } from "node:crypto";

export interface PlantedEvent {
  readonly key: string;
  /** Its product_name. */
  readonly name: string;
  readonly userId: number;
  readonly price: string;
}

/** Every planted event's name begins so, and no generated one's. */
export const PLANTED_NAME_PREFIX = "selftest ";

/** A unique index of the tested tables is over the names that begin so. */
export const UNIQUE_NAME_PREFIX = `${PLANTED_NAME_PREFIX}unique `;

const HEADER = "event_timestamp,event_type,user_id,product_id,product_name,category,quantity,price";

/** Events of one file, each with key, name and user of its own. */
export function plantedEvents(file: string, count: number): PlantedEvent[] {
  return Array.from({ length: count }, (_, number) => ({
    key: keyOf(`${file} ${number}`),
    name: `${PLANTED_NAME_PREFIX}${file} ${number}`,
    userId: number + 1,
    price: "12.57",
  }));
}

/** Pairs of events that differ in their keys and break the unique index of the tested tables. */
export function clashingEvents(pairs: number): PlantedEvent[] {
  return Array.from(
    { length: pairs },
    (_, pair) =>
      plantedEvents(`clash ${pair}`, 2)
        .map((event) => ({ ...event, userId: 1, name: UNIQUE_NAME_PREFIX + pair })),
  ).flat();
}

/** Bytes of `7` and a newline: cut off an event, they leave a price that is a price as well. */
export const PRICE_CUT_BYTES = 2;

/** With header and newlines; the price comes last, so that a cut in it may look like an end. */
export function plantedCsv(
  events: readonly PlantedEvent[],
  options: { hasKey?: boolean } = {},
): Uint8Array {
  const { hasKey = true } = options;
  const line = (key: string, rest: string) => `${hasKey ? `${key},` : ""}${rest}\n`;
  const lines = events.map(({ key, name, userId, price }) =>
    line(key, `2026-03-14T10:00:00Z,purchase,${userId},7,${name},Selftest,2,${price}`)
  );
  return new TextEncoder().encode([line("event_id", HEADER), ...lines].join(""));
}

/** A UUIDv8 of the text. */
function keyOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-` +
    hex.slice(20, 32);
}
