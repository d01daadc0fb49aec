/** The self-test's child: ingests for real, and kills itself where it was told to. */
import { ingest } from "../pipeline/ingest.ts";
import type { IngestObserver } from "../pipeline/ingest_observer.ts";
import { ingestOptions } from "./ingest_options_of.ts";
import { type KillPlan, KillSwitch } from "./kill_switch.ts";
import type { TestedPipeline } from "./selftest_ground.ts";

/** The environment variable that makes `pgsluice selftest` a victim: a {@linkcode VictimOrder}. */
export const VICTIM_VARIABLE = "PGSLUICE_SELFTEST_VICTIM";

export interface VictimOrder {
  readonly url: string;
  readonly pipeline: TestedPipeline;
  readonly archive: boolean;
  readonly connections: number;
  /** Null: it lives until everything is loaded. */
  readonly kill: KillPlan | null;
}

/**
 * Loads what is there and ends, unless it dies before.
 * @param options.tell writes at once and whole: what is told last must be out when it dies
 */
export async function runVictim(
  order: VictimOrder,
  options: { signal: AbortSignal; tell: (line: string) => void },
): Promise<void> {
  const { url, pipeline, archive, connections, kill } = order;
  const killSwitch = kill === null ? null : new KillSwitch(kill, (report) => {
    options.tell(JSON.stringify(report));
    Deno.kill(Deno.pid, "SIGKILL");
  });
  // files are put away while others load only by an ingester that goes on watching
  const once = kill === null || !archive;
  const loaded = new AbortController();
  await ingest(
    ingestOptions(pipeline, {
      target: { kind: "server", url },
      signal: AbortSignal.any([options.signal, loaded.signal]),
      once,
      archive,
      connections,
      ...(killSwitch && { probe: killSwitch.probe }),
    }),
    { ...DEAF, caughtUp: () => loaded.abort() },
  );
}

const DEAF: Omit<IngestObserver, "caughtUp"> = {
  standby() {},
  started() {},
  scanned() {},
  turned() {},
  committed() {},
  fileTrouble() {},
  fileNote() {},
  readError() {},
  journal() {},
  journalTrouble() {},
  outage() {},
  recovered() {},
};
