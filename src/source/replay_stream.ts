import type { ByteSource } from "./byte_source.ts";

/**
 * A stream that can be read again from any byte not yet released, so that what a lost connection
 * took with it is sent once more. Invariant: it holds [releasedByte, endByte), and reads no further
 * from the stream than it was asked for; what is held is bounded by the open batches.
 */
export class ReplayStream implements ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #held: { readonly startByte: number; readonly bytes: Uint8Array }[] = [];
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
