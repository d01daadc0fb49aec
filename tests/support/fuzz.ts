/**
 * Runs a body with many random inputs. Each run follows from the seed and its number alone, so a
 * failure names all there is to know to have it again:
 * `PGSLUICE_FUZZ_SEED=7 PGSLUICE_FUZZ_FIRST=123 PGSLUICE_FUZZ_RUNS=1 deno test -A FILE`.
 */
import { Random } from "../../src/generate/random.ts";

/** @param usualRuns how many in the suite; `PGSLUICE_FUZZ_RUNS` says otherwise */
export async function fuzz(
  usualRuns: number,
  body: (random: Random) => void | Promise<void>,
): Promise<void> {
  const seed = numberFrom("PGSLUICE_FUZZ_SEED", 1);
  const first = numberFrom("PGSLUICE_FUZZ_FIRST", 0);
  const end = first + numberFrom("PGSLUICE_FUZZ_RUNS", usualRuns);
  console.log(`fuzz: seed ${seed}, runs ${first} to ${end - 1}`);
  for (let run = first; run < end; run++) {
    try {
      await body(new Random(seed, run));
    } catch (error) {
      const again = `PGSLUICE_FUZZ_SEED=${seed} PGSLUICE_FUZZ_FIRST=${run} PGSLUICE_FUZZ_RUNS=1`;
      const what = error instanceof Error ? error.message : String(error);
      throw new Error(`run ${run} of seed ${seed} (again: ${again}): ${what}`, { cause: error });
    }
  }
}

/** True if the runs are the suite's own, for which it is known what they must have met. */
export function isUsualFuzz(): boolean {
  return ["SEED", "FIRST", "RUNS"].every((name) => !Deno.env.has(`PGSLUICE_FUZZ_${name}`));
}

function numberFrom(variable: string, otherwise: number): number {
  const value = Number(Deno.env.get(variable) ?? otherwise);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${variable} is no whole number`);
  return value;
}
