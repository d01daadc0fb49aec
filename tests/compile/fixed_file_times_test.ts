import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { fixFileTimes } from "../../src/compile/fixed_file_times.ts";

const DECOY = '[{"Dir":{"n":"the runtime","e":[{"File":{"n":"x","t":1111111111111}}]}}]';

/** As `deno compile` makes them, as far as times go. */
function compiled(time: number): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const list = encoder.encode(
    `[{"Dir":{"n":"src","e":[{"File":{"n":"a.ts","o":[0,9],"t":${time}}},` +
      `{"File":{"n":"é.ts","o":[9,9],"t":${time + 1}}}]}}]`,
  );
  const part = [encoder.encode("d3n0l4nd"), size(list.length), list, encoder.encode("code")];
  const partBytes = part.reduce((sum, { length }) => sum + length, 8);
  const parts = [encoder.encode(DECOY), ...part, size(partBytes)];
  return new Uint8Array(parts.flatMap((bytes) => [...bytes]));
}

function size(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

Deno.test("executables that differ in files' times alone become the same", () => {
  const [one, other] = [compiled(1_795_692_832_000), compiled(1_795_600_000_123)];
  assertNotEquals(one, other);
  fixFileTimes(one, 1_700_000_000);
  fixFileTimes(other, 1_700_000_000);
  assertEquals(one, other);
  const text = new TextDecoder().decode(one);
  assertEquals(text.match(/"t":1700000000000}/g)?.length, 2);
  assertEquals(text.startsWith(DECOY), true);
});

Deno.test("an executable whose list of files is of another form is refused", () => {
  const cases = [
    new TextEncoder().encode("another layout, some day"),
    compiled(1_795_692_832_000).subarray(0, -9),
    compiled(17), // no time that has so few digits
  ];
  for (const bytes of cases) {
    assertThrows(() => fixFileTimes(bytes, 1_700_000_000), Error, "deno compile");
  }
});
