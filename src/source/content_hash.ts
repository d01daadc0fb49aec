/**
 * A hash over the committed bytes of a file that can be checked in parts and carried on after a
 * restart from the ledger and one partly filled block.
 *
 * Invariants: after any number of bytes, `chain` covers every complete block, `tail` what follows
 * the last of them; `chain` is null exactly as long as there is no complete block.
 */
import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";

/** Size of a block in bytes: what a restart reads again at most, twice. */
export const BLOCK_BYTES = 1024 * 1024;

export interface ContentDigests {
  /** sha256 of the first complete block. */
  readonly firstBlock: Uint8Array | null;
  /** sha256 of the last complete block. */
  readonly lastBlock: Uint8Array | null;
  /** sha256(chain before || sha256(block)) over all complete blocks. */
  readonly chain: Uint8Array | null;
  /** sha256 of what follows the last complete block. */
  readonly tail: Uint8Array;
}

export class ContentHash {
  #firstBlock: Uint8Array | null = null;
  #lastBlock: Uint8Array | null = null;
  #chain: Uint8Array | null = null;
  #tail: Hash = createHash("sha256");
  #tailBytes = 0;

  /** Goes on after the complete blocks of `digests`; the bytes of the tail are to be fed again. */
  static afterBlocks(digests: ContentDigests): ContentHash {
    const hash = new ContentHash();
    hash.#firstBlock = digests.firstBlock;
    hash.#lastBlock = digests.lastBlock;
    hash.#chain = digests.chain;
    return hash;
  }

  update(bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.length) {
      const until = Math.min(bytes.length, from + BLOCK_BYTES - this.#tailBytes);
      this.#tail.update(bytes.subarray(from, until));
      this.#tailBytes += until - from;
      from = until;
      if (this.#tailBytes === BLOCK_BYTES) this.#closeBlock();
    }
  }

  clone(): ContentHash {
    const copy = new ContentHash();
    copy.#firstBlock = this.#firstBlock;
    copy.#lastBlock = this.#lastBlock;
    copy.#chain = this.#chain;
    copy.#tail = this.#tail.copy();
    copy.#tailBytes = this.#tailBytes;
    return copy;
  }

  digests(): ContentDigests {
    return {
      firstBlock: this.#firstBlock,
      lastBlock: this.#lastBlock,
      chain: this.#chain,
      tail: this.#tail.copy().digest(),
    };
  }

  #closeBlock(): void {
    const block = this.#tail.digest();
    this.#firstBlock ??= block;
    this.#lastBlock = block;
    this.#chain = createHash("sha256").update(this.#chain ?? new Uint8Array()).update(block)
      .digest();
    this.#tail = createHash("sha256");
    this.#tailBytes = 0;
  }
}

/**
 * A number of 30 bits: the same for the same content, and for few others. The ledger's queries
 * compute it as well.
 */
export function contentMark({ chain, tail }: Pick<ContentDigests, "chain" | "tail">): number {
  return (firstWord(tail) ^ (chain === null ? 0 : firstWord(chain))) & 0x3fff_ffff;
}

function firstWord(hash: Uint8Array): number {
  return new DataView(hash.buffer, hash.byteOffset).getInt32(0);
}

/** True if both are of the same bytes. */
export function sameDigests(a: ContentDigests, b: ContentDigests): boolean {
  return sameBytes(a.firstBlock, b.firstBlock) && sameBytes(a.lastBlock, b.lastBlock) &&
    sameBytes(a.chain, b.chain) && sameBytes(a.tail, b.tail);
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return Buffer.compare(a, b) === 0;
}
