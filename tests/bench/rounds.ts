/**
 * Two sides measured in turn, A B A B: this machine's speed changes by a third from one minute to the
 * next, so only what ran side by side compares.
 */
export interface Comparison<A, B> {
  readonly first: readonly A[];
  readonly second: readonly B[];
}

export async function interleaved<A, B>(
  rounds: number,
  sides: { first: (round: number) => Promise<A>; second: (round: number) => Promise<B> },
): Promise<Comparison<A, B>> {
  const first: A[] = [];
  const second: B[] = [];
  for (let round = 0; round < rounds; round++) {
    first.push(await sides.first(round));
    second.push(await sides.second(round));
  }
  return { first, second };
}

/** Of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** Of each round's ratio: the median, and from where to where they went. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** `above[i] / below[i]`. */
export function ratioOf(above: readonly number[], below: readonly number[]): Ratio {
  const ratios = above.map((value, index) => value / below[index]!);
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** `1.90x (1.71–2.12)`. */
export function formatRatio({ median, least, most }: Ratio): string {
  const digits = median < 10 ? 2 : 1;
  const spread = least === most ? "" : ` (${least.toFixed(digits)}–${most.toFixed(digits)})`;
  return `${median.toFixed(digits)}x${spread}`;
}
