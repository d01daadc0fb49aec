import { assertEquals } from "@std/assert";
import { Random } from "../../src/generate/random.ts";
import type { ProbePoint } from "../../src/probe.ts";
import { chooseFaults } from "../../src/selftest/choose_faults.ts";

const POINTS: readonly ProbePoint[] = [
  "ledger.load",
  ...Array.from({ length: 50 }, (): ProbePoint[] => ["file.read", "sink.begin"]).flat(),
  "journal.append",
];

Deno.test("every operation fails once and for good if there may be so many faults", () => {
  const faults = chooseFaults(POINTS, { most: 2 * POINTS.length, random: new Random(1, 1) });
  assertEquals(
    faults,
    POINTS.flatMap((_, index) => [
      { nth: index + 1, manner: "once" as const },
      { nth: index + 1, manner: "lasting" as const },
    ]),
  );
});

Deno.test("with fewer faults the first of each kind fails in both manners, then others all over", () => {
  for (let seed = 0; seed < 20; seed++) {
    const faults = chooseFaults(POINTS, { most: 20, random: new Random(seed, 1) });
    assertEquals(faults.length, 20);
    assertEquals(new Set(faults.map(({ nth, manner }) => `${nth} ${manner}`)).size, 20);
    for (const point of new Set(POINTS)) {
      const nth = POINTS.indexOf(point) + 1;
      const manners = faults.filter((fault) => fault.nth === nth).map(({ manner }) => manner);
      assertEquals(manners, ["once", "lasting"], point);
    }
    const places = faults.map(({ nth }) => nth);
    for (const from of [0, 25, 50, 75]) {
      assertEquals(places.some((nth) => nth > from && nth <= from + 25), true, `${seed}: ${from}`);
    }
  }
});
