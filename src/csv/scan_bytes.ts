import type { RecordScanner } from "./record_scanner.ts";

/**
 * Gives the scanner bytes and steps through what it finds in them. With `atEnd` they are all there
 * is: a record without newline is one, and bytes given later begin another.
 */
export function* scanBytes(
  scanner: RecordScanner,
  { bytes, atEnd }: { bytes: Uint8Array; atEnd: boolean },
): Generator<"record" | "malformed", void> {
  for (let given = 0;;) {
    const step = scanner.next(atEnd && given === bytes.length);
    if (step === "record" || step === "malformed") {
      yield step;
      continue;
    }
    if (given === bytes.length) return;
    const room = scanner.room();
    const part = bytes.subarray(given, given + room.length);
    room.set(part);
    scanner.grow(part.length);
    given += part.length;
  }
}
