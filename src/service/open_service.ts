import { NotifySocket } from "./notify_socket.ts";
import { ServiceObserver } from "./service_observer.ts";

export interface Service {
  readonly observer: ServiceObserver;
  /** Nothing is told from now on. Twice is safe. */
  close(): void;
}

/** What systemd gives to a service and its processes should not have. */
const VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/**
 * What tells systemd of this process; null where nobody asked for that. It takes what systemd gave
 * out of the environment: a server that this process starts would tell of itself.
 *
 * @param options.onTrouble Called once, with a sentence, if systemd cannot be told.
 */
export function openService(
  { environment, onTrouble }: {
    /** Of this process, which its children inherit. */
    readonly environment: Pick<Deno.Env, "get" | "delete">;
    readonly onTrouble: (message: string) => void;
  },
): Service | null {
  const [address, watchdogUsec, watchdogPid] = VARIABLES.map((name) => environment.get(name));
  for (const name of VARIABLES) environment.delete(name);
  const socket = NotifySocket.open(address, { onTrouble });
  if (socket === null) return null;
  const observer = new ServiceObserver({
    notify: (fields) => socket.notify(fields),
    watchdogMs: watchdogMs({ watchdogUsec, watchdogPid }, Deno.pid),
    clock: { now: () => performance.now(), date: () => new Date() },
  });
  return { observer, close: () => socket.close() };
}

/**
 * How long systemd bears silence of this process (ms); null if it does not watch it.
 *
 * @see sd_watchdog_enabled(3)
 */
export function watchdogMs(
  { watchdogUsec, watchdogPid }: {
    watchdogUsec: string | undefined;
    watchdogPid: string | undefined;
  },
  processId: number,
): number | null {
  if (watchdogPid && watchdogPid !== String(processId)) return null;
  const microseconds = Number(watchdogUsec);
  return microseconds > 0 && microseconds < Infinity ? microseconds / 1_000 : null;
}
