import { assertEquals } from "@std/assert";
import { formatRatio, interleaved, median, ratioOf } from "./rounds.ts";

Deno.test("two sides are measured in turn, round by round", async () => {
  const order: string[] = [];
  const side = (name: string) => (round: number) => {
    order.push(`${name}${round}`);
    return Promise.resolve(round);
  };
  const runs = await interleaved(3, { first: side("A"), second: side("B") });
  assertEquals(order, ["A0", "B0", "A1", "B1", "A2", "B2"]);
  assertEquals(runs, { first: [0, 1, 2], second: [0, 1, 2] });
});

Deno.test("a ratio is the median of the rounds' ratios, printed with its spread", () => {
  // the machine was four times as slow in the last round, for both
  const ratio = ratioOf([20, 18, 84], [10, 10, 40]);
  assertEquals(ratio, { median: 2, least: 1.8, most: 2.1 });
  assertEquals(formatRatio(ratio), "2.00x (1.80–2.10)");
  assertEquals(formatRatio(ratioOf([120], [5])), "24.0x");
});

Deno.test("the median of an even number of values is the mean of the two in the middle", () => {
  assertEquals(median([9, 1, 2, 4]), 3);
  assertEquals(median([5]), 5);
});
