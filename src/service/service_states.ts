import type { Systemd } from "./systemd.ts";
import { unitOf } from "./pipeline_instance.ts";

/** A pipeline's service, in systemd's words. */
export interface ServiceState {
  readonly pipeline: string;
  readonly unit: string;
  /** `loaded`, or `not-found` where there is no unit. */
  readonly load: string;
  /** As in `active`, `activating`, `failed`. */
  readonly state: string;
  /** As in `running`, `start`, `auto-restart`. */
  readonly subState: string;
  /** How it ended last: `success`, `exit-code`, `watchdog`, … */
  readonly result: string;
  /** When it came into this state, as systemd writes it; null if it never was in another. */
  readonly since: string | null;
  /** What it said last that it is doing. */
  readonly doing: string | null;
  readonly processId: number | null;
  /** By systemd, since it was started by a person or at boot. */
  readonly restarts: number;
  readonly memoryBytes: number | null;
}

const PROPERTIES = [
  "Id",
  "LoadState",
  "ActiveState",
  "SubState",
  "Result",
  "StateChangeTimestamp",
  "StatusText",
  "MainPID",
  "NRestarts",
  "MemoryCurrent",
] as const;

/**
 * The services that systemd knows of: those that run, failed, or are enabled.
 *
 * @param options.pipeline Only this one's, also if systemd does not know of it.
 * @throws {PgsluiceError} `systemd-tool`
 */
export async function readServiceStates(
  systemd: Systemd,
  options: { pipeline: string | undefined },
): Promise<ServiceState[]> {
  return parseServiceStates(
    await systemd.run("systemctl", [
      "show",
      unitOf(options.pipeline ?? "*"),
      `--property=${PROPERTIES.join(",")}`,
    ]),
  );
}

/** @param text What `systemctl show` writes: lines of `Name=value`, an empty one between units. */
export function parseServiceStates(text: string): ServiceState[] {
  return text.split(/\n{2,}/).filter((block) => block.trim() !== "").map((block) => {
    const values = new Map(
      block.trim().split("\n").map((line): [string, string] => {
        const equals = line.indexOf("=");
        return [line.slice(0, equals), line.slice(equals + 1)];
      }),
    );
    const value = (name: typeof PROPERTIES[number]) => values.get(name) ?? "";
    const unit = value("Id");
    return {
      pipeline: unit.replace(/^pgsluice@|\.service$/g, ""),
      unit,
      load: value("LoadState"),
      state: value("ActiveState"),
      subState: value("SubState"),
      result: value("Result"),
      since: value("StateChangeTimestamp") || null,
      doing: value("StatusText") || null,
      processId: Number(value("MainPID")) || null,
      restarts: Number(value("NRestarts")) || 0,
      memoryBytes: wholeOrNull(value("MemoryCurrent")),
    };
  }).sort((a, b) => a.pipeline < b.pipeline ? -1 : 1);
}

/** `[not set]`, or the largest number of 64 bits, where nobody counts. */
function wholeOrNull(text: string): number | null {
  const number = Number(text);
  return text !== "" && Number.isSafeInteger(number) ? number : null;
}
