import type { ByteSource } from "./byte_source.ts";
import type { ContentHash } from "./content_hash.ts";

/** Bytes inside an oversize line that nobody needs again, and what there is to know of them. */
export interface PassedStretch {
  readonly fromByte: number;
  readonly toByte: number;
  /** Of [0, toByte). */
  readonly hash: ContentHash;
}

interface Piece {
  readonly startByte: number;
  readonly bytes: Uint8Array;
}

/**
 * A stream that can be read again from any byte not yet released, so that what a lost connection
 * took with it is sent once more. Invariant: it holds [releasedByte, endByte) but for the stretches
 * that were passed, and reads no further from the stream than it was asked for; what is held is
 * bounded by the open batches, however long a line is.
 */
export class ReplayStream implements ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #held: Piece[] = [];
  /** None of them overlap. */
  #passed: PassedStretch[] = [];
  #endByte = 0;
  #ended = false;
  #reading: Promise<void> | null = null;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** True once the stream has ended and `atByte` is its end. */
  isEnd(atByte: number): boolean {
    return this.#ended && atByte === this.#endByte;
  }

  /** True if `read(atByte, …)` would return without waiting. */
  isReady(atByte: number): boolean {
    return this.#ended || atByte < this.#endByte;
  }

  /** Waits until `read(atByte, …)` would not. Several may wait. */
  async ready(atByte: number): Promise<void> {
    while (!this.isReady(atByte)) {
      this.#reading ??= this.#pull().finally(() => this.#reading = null);
      await this.#reading;
    }
  }

  async read(atByte: number, into: Uint8Array): Promise<number> {
    await this.ready(atByte);
    for (const piece of this.#held) {
      const from = atByte - piece.startByte;
      if (from < 0) break;
      if (from >= piece.bytes.length) continue;
      const part = piece.bytes.subarray(from, from + into.length);
      into.set(part);
      return part.length;
    }
    if (atByte < this.#endByte) throw new RangeError(`byte ${atByte} of the stream was let go`);
    return 0;
  }

  /** Bytes before `byte` will not be asked for again. */
  release(byte: number): void {
    const keep = this.#held.findIndex((piece) => piece.startByte + piece.bytes.length > byte);
    this.#held = keep === -1 ? [] : this.#held.slice(keep);
    this.#passed = this.#passed.filter(({ toByte }) => toByte > byte);
  }

  /** Bytes of the stretch will not be asked for again, though some before may be. */
  pass(stretch: PassedStretch): void {
    const { fromByte, toByte } = stretch;
    const others = this.#passed.filter((other) =>
      other.fromByte < fromByte || other.toByte > toByte
    );
    this.#passed = [...others, stretch];
    this.#held = this.#held.flatMap((piece) => without(piece, stretch));
  }

  /** The stretch that was passed and begins there. */
  passedFrom(byte: number): PassedStretch | undefined {
    return this.#passed.find(({ fromByte }) => fromByte === byte);
  }

  /** The last stretch that was passed, is remembered, and ends at `byte` or before. */
  passedBefore(byte: number): PassedStretch | undefined {
    return this.#passed
      .filter(({ toByte }) => toByte <= byte)
      .toSorted((a, b) => a.toByte - b.toByte)
      .at(-1);
  }

  close(): void {
    // a producer that goes on writing learns of it by its broken pipe
    this.#reader.cancel().catch(() => {});
  }

  async #pull(): Promise<void> {
    const { value, done } = await this.#reader.read();
    if (done) {
      this.#ended = true;
      return;
    }
    if (value.length > 0) {
      this.#held.push({ startByte: this.#endByte, bytes: value });
      this.#endByte += value.length;
    }
  }
}

/** What is left of a piece, in memory of its own, so that nothing keeps what was passed. */
function without(piece: Piece, { fromByte, toByte }: PassedStretch): Piece[] {
  const { startByte, bytes } = piece;
  if (startByte >= toByte || startByte + bytes.length <= fromByte) return [piece];
  const before = bytes.slice(0, Math.max(0, fromByte - startByte));
  const after = bytes.slice(toByte - startByte);
  return [{ startByte, bytes: before }, { startByte: toByte, bytes: after }]
    .filter(({ bytes }) => bytes.length > 0);
}
