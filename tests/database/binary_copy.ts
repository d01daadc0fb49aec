/** Columns of the tables that tests copy into: `(id bigint, name text)`. */
export interface BinaryRow {
  readonly id: bigint;
  readonly name: string | null;
}

const SIGNATURE = [...new TextEncoder().encode("PGCOPY\n"), 0xff, 0x0d, 0x0a, 0];

/**
 * The bytes of a binary COPY, written here by the book and not with the pipeline's encoder.
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4
 */
export function binaryCopy(rows: Iterable<BinaryRow>): Uint8Array {
  const bytes: number[] = [...SIGNATURE, ...int32(0), ...int32(0)];
  for (const { id, name } of rows) {
    bytes.push(0, 2, ...int32(8));
    for (let shift = 56n; shift >= 0n; shift -= 8n) bytes.push(Number((id >> shift) & 0xffn));
    if (name === null) {
      bytes.push(...int32(-1));
    } else {
      const text = new TextEncoder().encode(name);
      bytes.push(...int32(text.length));
      for (const byte of text) bytes.push(byte);
    }
  }
  bytes.push(0xff, 0xff);
  return Uint8Array.from(bytes);
}

function int32(value: number): number[] {
  return [value >> 24 & 0xff, value >> 16 & 0xff, value >> 8 & 0xff, value & 0xff];
}
