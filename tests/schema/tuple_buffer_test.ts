import { assertEquals } from "@std/assert";
import { COPY_HEADER_BYTES, TupleBuffer } from "../../src/schema/tuple_buffer.ts";

/** What `put` appended, of all that follows the header. */
function written(put: (out: TupleBuffer) => void): DataView {
  const out = new TupleBuffer();
  put(out);
  return new DataView(out.bytes.buffer, COPY_HEADER_BYTES, out.length - COPY_HEADER_BYTES);
}

Deno.test("whole numbers are put exactly, on both sides of each power of two", () => {
  const values = [0, 31, 32, 33, 40, 52]
    .flatMap((power) => [2 ** power - 1, 2 ** power, 2 ** power + 1])
    .concat(Number.MAX_SAFE_INTEGER)
    .flatMap((value) => [value, -value]);
  for (const value of values) {
    const view = written((out) => out.putInt64(value));
    assertEquals([view.byteLength, view.getBigInt64(0)], [8, BigInt(value)], String(value));
  }
});

Deno.test("small numbers are put with their sign", () => {
  for (const value of [0, 1, -1, 255, 256, -256, 32_767, -32_768]) {
    const view = written((out) => {
      out.putInt16(value);
      out.putInt32(value);
    });
    assertEquals([view.byteLength, view.getInt16(0), view.getInt32(2)], [6, value, value]);
  }
});

Deno.test("growing keeps what was put", () => {
  const out = new TupleBuffer();
  const first = out.bytes.length;
  for (let value = 0; out.bytes.length === first; value++) {
    out.reserve(64 * 1024);
    out.length += 64 * 1024 - 4;
    out.putInt32(value);
  }
  const view = new DataView(out.bytes.buffer);
  const chunks = (out.length - COPY_HEADER_BYTES) / (64 * 1024);
  for (let value = 0; value < chunks; value++) {
    const end = COPY_HEADER_BYTES + (value + 1) * 64 * 1024;
    assertEquals(view.getInt32(end - 4), value);
  }
  assertEquals(new TextDecoder().decode(out.bytes.subarray(0, 6)), "PGCOPY");
});
