import { RecordScanner } from "../../src/csv/record_scanner.ts";
import {
  type HeaderMapping,
  isRepeatedHeader,
  mapHeader,
  mapSameHeader,
} from "../../src/schema/header_mapping.ts";
import { RecordDecoder, type RejectReason } from "../../src/schema/record_decoder.ts";
import type { Schema } from "../../src/schema/schema.ts";
import { TupleBuffer } from "../../src/schema/tuple_buffer.ts";

export interface Decoded {
  readonly tuples: TupleBuffer;
  /** One a record, null for those that were accepted. */
  readonly rejects: readonly (RejectReason | null)[];
  readonly ambiguousTimes: number;
  /** Where the header comes again; such a record has no place among the rejects. */
  readonly headerStarts: readonly number[];
  /** How many records `decodePlain` took. */
  readonly plainCount: number;
}

/** What is used for one file after the other, as far as they are alike; empty before the first. */
export interface Reuse {
  tuples?: TupleBuffer;
  scanner?: RecordScanner;
  mapping?: HeaderMapping;
  decoder?: RecordDecoder;
}

export interface DecodeCsvOptions {
  readonly schema: Schema;
  readonly timeZone?: string;
  readonly derivedKeyPrefix?: Uint8Array;
  readonly fileId?: number;
  /** Of files with the same schema and time zone before; nothing is used again unless given. */
  readonly reuse?: Reuse;
  /** Whether `decodePlain` is asked first, as the ingester does; it is unless given. */
  readonly plain?: boolean;
  /** How many bytes to give next; all that there is room for unless given. */
  readonly chunkBytes?: () => number;
  /** Called at each record. */
  readonly onRecord?: (scanner: RecordScanner) => void;
}

/** Decodes a whole CSV, header first. */
export function decodeCsv(text: string | Uint8Array, options: DecodeCsvOptions): Decoded {
  const { schema, timeZone = "UTC", plain = true } = options;
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const reuse = options.reuse ?? {};
  const start = { startByte: 0, startLine: 1 };
  const scanner = reuse.scanner ??= new RecordScanner({ ...start, maxRecordBytes: 1024 * 1024 });
  scanner.restart(start);
  const tuples = reuse.tuples ??= new TupleBuffer();
  tuples.reset();
  const rejects: (RejectReason | null)[] = [];
  let plainCount = 0;
  const headerStarts: number[] = [];
  let decoder: RecordDecoder | null = null;
  let mapping: HeaderMapping | null = null;
  for (let given = 0;;) {
    if (plain && decoder?.decodePlain(scanner, tuples)) {
      plainCount++;
      rejects.push(null);
      options.onRecord?.(scanner);
      continue;
    }
    const step = scanner.next(given === bytes.length);
    if (step === "end") {
      const ambiguousTimes = decoder?.ambiguousTimes ?? 0;
      return { tuples, rejects, ambiguousTimes, headerStarts, plainCount };
    }
    if (step === "more") {
      const room = scanner.room();
      const wanted = Math.min(options.chunkBytes?.() ?? room.length, room.length);
      const piece = bytes.subarray(given, given + wanted);
      room.set(piece);
      // what lies behind must have no say; after the window moved anything may lie there
      room.fill(0x0a, piece.length, piece.length + 64);
      scanner.grow(piece.length);
      given += piece.length;
    } else if (decoder === null || mapping === null) {
      const known = reuse.mapping && mapSameHeader(reuse.mapping, scanner);
      const header = known ? { ok: true, mapping: known } as const : mapHeader(schema, scanner);
      if (!header.ok) throw new Error(`${header.code}: ${header.reason}`);
      mapping = header.mapping;
      const origin = {
        derivedKeyPrefix: options.derivedKeyPrefix ??
          Uint8Array.from({ length: 16 }, (_, index) => 0xf0 + index),
        fileId: options.fileId ?? 7,
      };
      if (known && reuse.decoder) {
        decoder = reuse.decoder;
        decoder.retarget(origin);
      } else {
        decoder = new RecordDecoder({ schema, mapping, timeZone, ...origin });
      }
      Object.assign(reuse, { mapping, decoder });
    } else if (step === "record" && isRepeatedHeader(mapping, scanner)) {
      headerStarts.push(scanner.startByte);
    } else {
      const { problem } = scanner;
      rejects.push(
        step === "record" ? decoder.decode(scanner, tuples) : { columnName: null, ...problem },
      );
      options.onRecord?.(scanner);
    }
  }
}
