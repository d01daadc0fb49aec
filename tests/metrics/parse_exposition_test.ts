import { assertEquals, assertThrows } from "@std/assert";
import { parseExposition } from "./parse_exposition.ts";

const HEAD = "# HELP a_total Some.\n# TYPE a_total counter\n";
const HISTOGRAM = "# HELP h Some.\n# TYPE h histogram\n";

const WRONG: readonly (readonly [message: string, text: string])[] = [
  ["the last line is cut short", `${HEAD}a_total 1`],
  ["no help of a_total", "# TYPE a_total counter\na_total 1\n"],
  ["a_total has no type", "a_total 1\n"],
  ["the counter a does not end in _total", "# HELP a Some.\n# TYPE a counter\na 1\n"],
  ["b_total is not of the counter a_total", `${HEAD}b_total 1\n`],
  ["a_total is -1", `${HEAD}a_total -1\n`],
  ['a_total{x="1"} comes twice', `${HEAD}a_total{x="1"} 1\na_total{x="1"} 2\n`],
  ["a_total comes twice", `${HEAD}${HEAD}`],
  ["a label twice", `${HEAD}a_total{x="1",x="2"} 1\n`],
  ["not labels", `${HEAD}a_total{x="a"b"} 1\n`],
  ["not labels", `${HEAD}a_total{x="a\\b"} 1\n`],
  ["no value", `${HEAD}a_total \n`],
  ["no value", `${HEAD}a_total undefined\n`],
  [
    "the buckets of h",
    `${HISTOGRAM}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_count 1\nh_sum 1\n`,
  ],
  ["h has no +Inf", `${HISTOGRAM}h_bucket{le="1"} 2\nh_count 2\nh_sum 1\n`],
];

Deno.test("the reader of these tests refuses what Prometheus refuses", () => {
  for (const [message, text] of WRONG) {
    assertThrows(() => parseExposition(text, { isOpenMetrics: false }), Error, message);
  }
  const { values } = parseExposition(`${HEAD}a_total{x="a\\"\\\\\\n",b=""} 1e3\n`, {
    isOpenMetrics: false,
  });
  assertEquals([...values], [['a_total{b="",x="a\\"\\\\\\n"}', 1000]]);
});

Deno.test("of OpenMetrics it demands an end, and no empty lines", () => {
  const head = "# HELP a Some.\n# TYPE a counter\n";
  const open = (text: string) => parseExposition(text, { isOpenMetrics: true });
  assertEquals(open(`${head}a_total 1\n# EOF\n`).values.get("a_total"), 1);
  for (const text of [`${head}a_total 1\n`, `${head}\na_total 1\n# EOF\n`, `${HEAD}# EOF\n\n`]) {
    assertThrows(() => open(text), Error);
  }
  assertThrows(() => open(`${HEAD}a_total 1\n# EOF\n`), Error, "a_total is not of the counter");
});
