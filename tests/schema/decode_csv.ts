import { RecordScanner } from "../../src/csv/record_scanner.ts";
import { mapHeader } from "../../src/schema/header_mapping.ts";
import { RecordDecoder, type RejectReason } from "../../src/schema/record_decoder.ts";
import type { Schema } from "../../src/schema/schema.ts";
import { TupleBuffer } from "../../src/schema/tuple_buffer.ts";

export interface Decoded {
  readonly tuples: TupleBuffer;
  /** One a record, null for those that were accepted. */
  readonly rejects: readonly (RejectReason | null)[];
  readonly ambiguousTimes: number;
}

/** Decodes a whole CSV, header first. */
export function decodeCsv(
  text: string | Uint8Array,
  { schema, timeZone = "UTC" }: { schema: Schema; timeZone?: string },
): Decoded {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes: 1024 * 1024 });
  const tuples = new TupleBuffer();
  const rejects: (RejectReason | null)[] = [];
  let decoder: RecordDecoder | null = null;
  for (let given = 0;;) {
    const step = scanner.next(given === bytes.length);
    if (step === "end") {
      return { tuples, rejects, ambiguousTimes: decoder?.ambiguousTimes ?? 0 };
    }
    if (step === "more") {
      const room = scanner.room();
      const piece = bytes.subarray(given, given + room.length);
      room.set(piece);
      scanner.grow(piece.length);
      given += piece.length;
    } else if (decoder === null) {
      const header = mapHeader(schema, scanner);
      if (!header.ok) throw new Error(`${header.code}: ${header.reason}`);
      decoder = new RecordDecoder({
        schema,
        mapping: header.mapping,
        timeZone,
        derivedKeyPrefix: Uint8Array.from({ length: 16 }, (_, index) => 0xf0 + index),
        fileId: 7,
      });
    } else {
      rejects.push(
        step === "record" ? decoder.decode(scanner, tuples) : {
          columnName: null,
          ...scanner.problem,
        },
      );
    }
  }
}
