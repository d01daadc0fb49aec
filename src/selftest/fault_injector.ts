import type { Probe, ProbePoint } from "../probe.ts";

export interface PlannedFault {
  /** It befalls the Nth operation, from 1, counted over all lives of the plan. */
  readonly nth: number;
  /** `once`: that operation alone; `lasting`: all of its kind from then on, until `mend()`. */
  readonly manner: "once" | "lasting";
}

/** Makes an operation fail, as the file system, the disk or the network would. */
export class FaultInjector {
  /** Every operation so far, in order. */
  readonly points: ProbePoint[] = [];
  /** The operation that failed; null as long as none has. */
  struck: ProbePoint | null = null;
  readonly #plan: PlannedFault | null;
  readonly #onFailure: (count: number) => void;
  #failures = 0;
  #isMended = false;

  /**
   * @param plan null: nothing fails, operations are only counted
   * @param onFailure called for each one, with how many there were
   */
  constructor(plan: PlannedFault | null, onFailure: (count: number) => void) {
    this.#plan = plan;
    this.#onFailure = onFailure;
  }

  /** From now on nothing fails any more. */
  mend(): void {
    this.#isMended = true;
  }

  readonly probe: Probe = (point) => {
    this.points.push(point);
    if (this.#isMended || this.#plan === null) return;
    const { nth, manner } = this.#plan;
    if (this.points.length === nth) this.struck = point;
    else if (this.struck === null || manner === "once" || point !== this.struck) return;
    this.#onFailure(++this.#failures);
    throw failureOf(point);
  };
}

/** What the operation fails with; at `sink.committed` it is that the answer to COMMIT is lost. */
export function failureOf(point: ProbePoint): Error {
  const [realm] = point.split(".");
  switch (realm) {
    case "file":
    case "folder":
      return systemError("EIO", `input/output error at ${point}`);
    case "journal":
      return systemError("ENOSPC", `no space left on device at ${point}`);
    default:
      return systemError("ECONNRESET", `connection reset by peer at ${point}`);
  }
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${message} (made by the self-test)`), { code });
}
