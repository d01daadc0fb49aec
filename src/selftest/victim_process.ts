import type { KillReport } from "./kill_switch.ts";
import { VICTIM_VARIABLE, type VictimOrder } from "./victim.ts";

/** How a victim ended. */
export type VictimEnd =
  | { readonly kind: "killed"; readonly report: KillReport }
  /** It loaded everything. */
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly reason: string };

/**
 * A victim that does not die within this is stuck: less than the minute after which the ingester
 * itself gives up a batch that waits, for no batch should ever wait like that.
 */
const DEATH_DEADLINE_MS = 50_000;
/** The last one has to load whatever is left. */
const END_DEADLINE_MS = 3_600_000;

/** Runs this executable as a victim, to its end. */
export async function runVictimProcess(
  order: VictimOrder,
  options: { signal: AbortSignal },
): Promise<VictimEnd> {
  const deadlineMs = order.kill === null ? END_DEADLINE_MS : DEATH_DEADLINE_MS;
  const deadline = AbortSignal.timeout(deadlineMs);
  const { success, code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...selfArguments(), "selftest"],
    env: { [VICTIM_VARIABLE]: JSON.stringify(order) },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.any([options.signal, deadline]),
  }).output();
  options.signal.throwIfAborted();
  const told = new TextDecoder().decode(stdout).trim();
  if (signal === "SIGKILL" && told !== "") return { kind: "killed", report: JSON.parse(told) };
  if (success && !deadline.aborted) return { kind: "done" };
  const said = new TextDecoder().decode(stderr).trim();
  const how = deadline.aborted ? `did not end in ${deadlineMs / 1000} s` : `ended with ${code}`;
  return { kind: "failed", reason: `the ingester ${how}: ${said}` };
}

/** What makes the running executable this program: nothing if compiled, else the main module. */
function selfArguments(): string[] {
  return Deno.build.standalone ? [] : ["run", "--quiet", "--allow-all", Deno.mainModule];
}
