import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { AliasTable, zipfWeights } from "../../src/generate/alias_table.ts";
import { Random } from "../../src/generate/random.ts";

Deno.test("Random gives the words of sfc32, computed elsewhere from its definition", () => {
  const cases = [
    { seed: 7, stream: 1, words: [0xabdd9c51, 0xe16ca401, 0x0abea518, 0x6102f2d8] },
    { seed: 2 ** 53 - 1, stream: 2, words: [0x3eda993c, 0xff051dbf, 0x42339f03, 0x7bd42508] },
  ];
  for (const { seed, stream, words } of cases) {
    const random = new Random(seed, stream);
    assertEquals(words.map(() => random.word()), words, `seed ${seed}`);
  }
});

Deno.test("Random differs by seed above 32 bits too, and by stream", () => {
  const first = new Random(5, 1).word();
  assertNotEquals(first, new Random(5 + 2 ** 32, 1).word());
  assertNotEquals(first, new Random(5, 2).word());
});

Deno.test("Random's exponential has the mean asked for", () => {
  const random = new Random(1, 1);
  let sum = 0;
  for (let draw = 0; draw < 100_000; draw++) sum += random.exponential(40);
  assert(Math.abs(sum / 100_000 - 40) < 0.5, `mean ${sum / 100_000}`);
});

Deno.test("Random picks nothing from nothing", () => {
  assertThrows(() => new Random(1, 1).pick([]), RangeError, "nothing to pick");
});

Deno.test("AliasTable draws each index as often as its weight says", () => {
  const weights = [5, 0, 1, 10, 4];
  const table = new AliasTable(weights);
  const random = new Random(3, 1);
  const counts = weights.map(() => 0);
  for (let draw = 0; draw < 200_000; draw++) counts[table.pick(random)]!++;
  assertEquals(counts[1], 0);
  weights.forEach((weight, index) => {
    const expected = weight * 10_000;
    assert(Math.abs(counts[index]! - expected) <= 0.03 * expected, `${index}: ${counts[index]}`);
  });
});

Deno.test("AliasTable refuses weights that add up to nothing", () => {
  assertThrows(() => new AliasTable([0, 0]), RangeError, "more than zero");
});

Deno.test("zipfWeights fall with the rank as Zipf and Mandelbrot say", () => {
  const weights = zipfWeights(3, { exponent: 2, offset: 1 });
  assertEquals(weights.map((weight) => Math.round(weight * 3600)), [900, 400, 225]);
});
