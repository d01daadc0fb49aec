import { assertEquals } from "@std/assert";
import type { ProbePoint } from "../../src/probe.ts";
import { type KillPlan, type KillReport, KillSwitch } from "../../src/selftest/kill_switch.ts";

class Killed extends Error {
  constructor(readonly report: KillReport) {
    super("killed");
  }
}

/** @returns how many operations came before the kill, and its report; null if none came */
function live(plan: KillPlan, points: readonly ProbePoint[]) {
  const killSwitch = new KillSwitch(plan, (report) => {
    throw new Killed(report);
  });
  for (const [index, point] of points.entries()) {
    try {
      killSwitch.probe(point);
    } catch (error) {
      if (error instanceof Killed) return { index, ...error.report };
      throw error;
    }
  }
  return null;
}

Deno.test("a kill comes only when a batch is open, in the phase and after the commits of its plan", () => {
  const batch: ProbePoint[] = ["sink.begin", "sink.copy", "sink.commit", "sink.committed"];
  const plan = { phase: "read", afterCommits: 0, delayMs: 0 } as const;
  assertEquals(live(plan, ["file.read", ...batch, "file.read"]), null);
  assertEquals(live(plan, ["file.read", "sink.begin", "file.read"]), {
    index: 2,
    phase: "read",
    openBatches: 1,
  });
  assertEquals(live(plan, ["sink.begin", "sink.rolled-back", "file.read"]), null);
  assertEquals(live({ ...plan, phase: "after COMMIT", afterCommits: 1 }, [...batch, ...batch]), {
    index: 7,
    phase: "after COMMIT",
    openBatches: 1,
  });
  assertEquals(
    live({ ...plan, phase: "journal" }, [
      ...batch,
      "journal.append",
      "sink.begin",
      "journal.append",
    ]),
    { index: 6, phase: "journal", openBatches: 1 },
  );
});
