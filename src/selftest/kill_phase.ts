import type { ProbePoint } from "../probe.ts";

/** The stretches of a batch's way in which a kill may fall. */
export const KILL_PHASES = [
  "read",
  "COPY",
  "before COMMIT",
  "after COMMIT",
  "journal",
  "archive",
] as const;

export type KillPhase = (typeof KILL_PHASES)[number];

const PHASE_OF_POINT: Readonly<Partial<Record<ProbePoint, KillPhase>>> = {
  "file.look": "read",
  "file.open": "read",
  "file.read": "read",
  "sink.copy": "COPY",
  "sink.copying": "COPY",
  "sink.keep": "before COMMIT",
  "sink.move": "before COMMIT",
  "sink.commit": "before COMMIT",
  "sink.committed": "after COMMIT",
  "journal.append": "journal",
  "journal.appended": "journal",
  "journal.compact": "journal",
  "journal.rename": "journal",
  "file.move": "archive",
  "file.moved": "archive",
};

/** The phase that begins with this operation; undefined if it begins none. */
export function phaseOf(point: ProbePoint): KillPhase | undefined {
  return PHASE_OF_POINT[point];
}
