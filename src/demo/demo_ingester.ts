import { PgsluiceError } from "../pgsluice_error.ts";
import type { DemoGround } from "./demo_ground.ts";
import { IngesterProcess } from "./ingester_process.ts";

/** @param flags besides those of every demo */
export function startIngester(
  { home, events }: Pick<DemoGround, "home" | "events">,
  ...flags: string[]
): IngesterProcess {
  // the files are whole when they appear, so what looks unfinished need not wait long
  return new IngesterProcess(["ingest", events, "--settle", "200ms", ...flags], {
    environment: ingesterEnvironment(home),
  });
}

/** The environment without what would point the ingester elsewhere: libpq's variables and ours. */
function ingesterEnvironment(home: string): Record<string, string> {
  const inherited = Object.entries(Deno.env.toObject())
    .filter(([name]) =>
      !name.startsWith("PG") && name !== "DATABASE_URL" && name !== "CREDENTIALS_DIRECTORY"
    );
  return { ...Object.fromEntries(inherited), PGSLUICE_HOME: home };
}

/** Kills it for real, and starts another one that goes on. */
export async function killAndRestart(
  ingester: IngesterProcess,
  ground: Pick<DemoGround, "home" | "events">,
  { step }: { step: (text: string) => void },
): Promise<IngesterProcess> {
  const { processId } = ingester;
  await ingester.end("SIGKILL");
  const next = startIngester(ground);
  step(
    `killed the ingester on purpose (SIGKILL, process ${processId}) and started another ` +
      `(process ${next.processId}), which goes on where the ledger stands`,
  );
  return next;
}

export async function endedByItself(ingester: IngesterProcess): Promise<PgsluiceError> {
  const { code, stderr } = await ingester.end("SIGKILL");
  return new PgsluiceError(
    "demo-ingester",
    `the demo's ingester ended with code ${code}: ${stderr.trim()}`,
    { hint: "run the demo again; if it stays so, this is a defect worth a report" },
  );
}
