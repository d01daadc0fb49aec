import { RecordScanner } from "../csv/record_scanner.ts";
import {
  type HeaderMapping,
  type HeaderResult,
  mapHeader,
  mapSameHeader,
} from "../schema/header_mapping.ts";
import { RecordDecoder, type RecordOrigin } from "../schema/record_decoder.ts";
import type { Meaning } from "./file_cursor.ts";

/**
 * What it takes to read a file and the next file can use again, which is most of what a small one
 * costs. One file is read with it at a time.
 */
export class DecodingKit {
  readonly #meaning: Meaning;
  readonly #scanner: RecordScanner;
  /** Of the last file that had a header. */
  #mapping: HeaderMapping | null = null;
  /** Of files with the header of `#mapping`. */
  #decoder: RecordDecoder | null = null;

  constructor(meaning: Meaning) {
    this.#meaning = meaning;
    const { maxRecordBytes } = meaning;
    this.#scanner = new RecordScanner({ startByte: 0, startLine: 1, maxRecordBytes });
  }

  /** For another file, or from another place on; the one given before is this one. */
  scannerAt(place: { startByte: number; startLine: number }): RecordScanner {
    this.#scanner.restart(place);
    return this.#scanner;
  }

  /** Maps the header that the scanner stands at. */
  mapHeader(): HeaderResult {
    const same = this.#mapping === null ? null : mapSameHeader(this.#mapping, this.#scanner);
    if (same !== null) return { ok: true, mapping: same };
    const result = mapHeader(this.#meaning.schema, this.#scanner);
    if (result.ok) {
      this.#mapping = result.mapping;
      this.#decoder = null;
    }
    return result;
  }

  /** For the records of one file; the one given before may be this one. */
  decoderFor(mapping: HeaderMapping, origin: RecordOrigin): RecordDecoder {
    const isSame = mapping.headerBytes === this.#mapping?.headerBytes;
    if (isSame && this.#decoder !== null) {
      this.#decoder.retarget(origin);
      return this.#decoder;
    }
    const { schema, timeZone } = this.#meaning;
    const decoder = new RecordDecoder({ schema, timeZone, mapping, ...origin });
    if (isSame) this.#decoder = decoder;
    return decoder;
  }
}
