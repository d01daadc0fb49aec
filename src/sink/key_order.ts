/**
 * The order in which a batch's rows go to the table. Rows whose keys do not ascend are sorted by
 * key: the server then walks each level of the key's index from left to right, and what a row needs
 * of it is still in the processor's cache from the row before.
 *
 * The order is close, not exact (keys that differ little within the batch may be swapped): nothing
 * but speed depends on it.
 */
import { PIECE_BYTES } from "../database/copy_in.ts";
import { COPY_HEADER_BYTES } from "../schema/tuple_buffer.ts";
import type { Batch } from "./batch.ts";

/** Whole numbers below this are exact in a double. */
const EXACT = 2 ** 53;

/**
 * The rows in the order of their ranks; null if that is the order they are in. Sorts without a
 * comparison function, which is several times as fast: rank and row make one number, the rank scaled
 * to the bits that the row leaves.
 */
export function keyOrder(ranks: Float64Array): Int32Array | null {
  const rowCount = ranks.length;
  let least = Infinity;
  let most = -Infinity;
  let isAscending = true;
  for (let row = 0; row < rowCount; row++) {
    const rank = ranks[row]!;
    if (rank < most) isAscending = false;
    if (rank < least) least = rank;
    if (rank > most) most = rank;
  }
  if (isAscending) return null;
  const rowSpan = 2 ** Math.ceil(Math.log2(rowCount));
  const scale = (EXACT / rowSpan - 1) / (most - least);
  const sorted = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    sorted[row] = Math.floor((ranks[row]! - least) * scale) * rowSpan + row;
  }
  sorted.sort();
  const order = new Int32Array(rowCount);
  for (let index = 0; index < rowCount; index++) order[index] = sorted[index]! % rowSpan;
  return order;
}

/**
 * Copies the tuples of these rows as input for COPY, piece after piece, all to the same place: the
 * room behind the batch's tuples, because copying within one memory needs no view of each tuple.
 */
export function* gatherTuples(
  { tuples, tupleEnds }: Batch,
  rows: Int32Array,
): Generator<Uint8Array> {
  const trailerEnd = tuples.finish().length;
  const trailerStart = tuples.length;
  tuples.reserve(2 * PIECE_BYTES);
  const { bytes } = tuples;
  const pieceStart = trailerEnd;
  let pieceEnd = pieceStart;
  bytes.copyWithin(pieceEnd, 0, COPY_HEADER_BYTES);
  pieceEnd += COPY_HEADER_BYTES;
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    const start = row === 0 ? COPY_HEADER_BYTES : tupleEnds[row - 1]!;
    const end = tupleEnds[row]!;
    if (pieceEnd - pieceStart + end - start > PIECE_BYTES) {
      yield bytes.subarray(pieceStart, pieceEnd);
      pieceEnd = pieceStart;
    }
    if (end - start > PIECE_BYTES) {
      yield bytes.subarray(start, end);
    } else {
      bytes.copyWithin(pieceEnd, start, end);
      pieceEnd += end - start;
    }
  }
  bytes.copyWithin(pieceEnd, trailerStart, trailerEnd);
  pieceEnd += trailerEnd - trailerStart;
  yield bytes.subarray(pieceStart, pieceEnd);
}
