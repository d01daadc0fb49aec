import type { Random } from "./random.ts";

/**
 * Draws indexes with given weights in constant time: Walker's alias method, built as in M. D. Vose,
 * "A linear algorithm for generating random numbers with a given distribution" (1991).
 */
export class AliasTable {
  /** Of slot i: the share of draws that stay with i; the others go to `#alias[i]`. */
  readonly #stay: Float64Array;
  readonly #alias: Uint32Array;

  /** @param weights at least one, none negative, not all zero; their sum does not matter */
  constructor(weights: readonly number[]) {
    const size = weights.length;
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (!(sum > 0)) throw new RangeError("alias table: the weights must add up to more than zero");
    const share = weights.map((weight) => (weight / sum) * size);
    const poor: number[] = [];
    const rich: number[] = [];
    share.forEach((value, index) => (value < 1 ? poor : rich).push(index));
    // what stays unset at the end is full but for rounding
    this.#stay = new Float64Array(size).fill(1);
    this.#alias = new Uint32Array(size);
    while (poor.length > 0 && rich.length > 0) {
      const small = poor.pop() as number;
      const large = rich.pop() as number;
      this.#stay[small] = share[small] as number;
      this.#alias[small] = large;
      const left = (share[large] as number) + (share[small] as number) - 1;
      share[large] = left;
      (left < 1 ? poor : rich).push(large);
    }
  }

  pick(random: Random): number {
    const place = random.fraction() * this.#stay.length;
    const slot = Math.floor(place);
    return place - slot < (this.#stay[slot] as number) ? slot : (this.#alias[slot] as number);
  }
}

/**
 * Weights of a long-tailed popularity, most popular first: Zipf's law in Mandelbrot's form,
 * 1 / (rank + offset)^exponent with ranks from 1. The offset flattens the very top.
 */
export function zipfWeights(
  size: number,
  options: { readonly exponent: number; readonly offset: number },
): number[] {
  return Array.from(
    { length: size },
    (_, index) => Math.exp(-options.exponent * Math.log(index + 1 + options.offset)),
  );
}
