import { assertEquals } from "@std/assert";
import { Random } from "../../src/generate/random.ts";
import { RowBuffer } from "../../src/generate/row_buffer.ts";

function textOf(write: (out: RowBuffer) => void): string {
  const out = new RowBuffer(8);
  write(out);
  return new TextDecoder().decode(out.written());
}

Deno.test("RowBuffer writes instants as toISOString does", () => {
  const random = new Random(1, 1);
  const edges = [
    "1970-01-01",
    "1999-12-31T23:59:59.999Z",
    "2024-02-29",
    "9999-12-31T23:59:59.999Z",
  ];
  const times = edges.map((edge) => Date.parse(edge));
  for (let draw = 0; draw < 2_000; draw++) times.push(Math.floor(random.fraction() * 2.5e14));
  const out = new RowBuffer(8);
  for (const timeMs of times) {
    out.clear();
    out.writeInstant(timeMs);
    assertEquals(new TextDecoder().decode(out.written()), new Date(timeMs).toISOString());
  }
});

Deno.test("RowBuffer writes the UUIDv7 of RFC 9562, appendix A.6", () => {
  const bits = { idCounter: 0xcc3, idHigh: 0x18c4dc0c, idLow: 0x0c07398f };
  assertEquals(
    textOf((out) => out.writeUuidV7(Date.parse("2022-02-22T19:22:22Z"), bits)),
    "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
  );
});

Deno.test("RowBuffer grows to what is written", () => {
  const long = new Uint8Array(100_000).fill(0x78);
  const text = textOf((out) => {
    out.writeSmall(7);
    out.writeBytes(long);
    out.writeSmall(42);
    for (let count = 0; count < 500; count++) out.writeByte(0x79);
  });
  assertEquals(text, "7" + "x".repeat(100_000) + "42" + "y".repeat(500));
});
