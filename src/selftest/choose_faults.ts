import type { Random } from "../generate/random.ts";
import type { ProbePoint } from "../probe.ts";
import type { PlannedFault } from "./fault_injector.ts";

const MANNERS = ["once", "lasting"] as const;

/**
 * Every operation once and for good; or, if that is more than `most`, the first of each kind, and
 * then others, spread over the run.
 * @param points the operations of a run without faults, in order
 */
export function chooseFaults(
  points: readonly ProbePoint[],
  { most, random }: { most: number; random: Random },
): PlannedFault[] {
  const all = points.flatMap((_, index) => MANNERS.map((manner) => ({ nth: index + 1, manner })));
  if (all.length <= most) return all;
  const firsts = new Set([...new Set(points)].map((point) => points.indexOf(point) + 1));
  const ofFirsts = spread(all.filter(({ nth }) => firsts.has(nth)), { most, random });
  const others = all.filter(({ nth }) => !firsts.has(nth));
  return [...ofFirsts, ...spread(others, { most: most - ofFirsts.length, random })]
    .sort((a, b) => a.nth - b.nth);
}

/** So many of the items: one, by chance, of each of so many stretches of the same length. */
function spread<T>(
  items: readonly T[],
  { most, random }: { most: number; random: Random },
): T[] {
  if (most >= items.length) return [...items];
  const stretch = items.length / most;
  return Array.from(
    { length: most },
    (_, index) => items[Math.floor((index + random.fraction()) * stretch)]!,
  );
}
