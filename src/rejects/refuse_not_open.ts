import { PgsluiceError } from "../pgsluice_error.ts";
import type { RejectState } from "./list_rejects.ts";

/** So many ids of a kind are named. */
const NAMED_IDS = 20;

/** An id asked for that is not one open reject of the pipeline. */
export interface NotOpen {
  readonly rejectId: number;
  /** Null if the pipeline has no such reject. */
  readonly state: RejectState | null;
  /** Asked for more than once. */
  readonly isRepeated: boolean;
}

/** @throws PgsluiceError `rejects-not-open` that names them, if there are any */
export function refuseNotOpen(pipelineName: string, found: readonly NotOpen[]): void {
  if (found.length === 0) return;
  const closed = found.filter(({ state }) => state !== null && state !== "open");
  const parts = [
    named(
      `no reject of pipeline ${pipelineName}`,
      found.filter(({ state }) => state === null).map(({ rejectId }) => String(rejectId)),
    ),
    named("no longer open", closed.map(({ rejectId, state }) => `${rejectId} (${state})`)),
    named(
      "given more than once",
      found.filter(({ isRepeated }) => isRepeated).map(({ rejectId }) => String(rejectId)),
    ),
  ].filter((part) => part !== null);
  throw new PgsluiceError("rejects-not-open", `${parts.join("; ")}; nothing was changed`, {
    hint: "leave them out; `pgsluice rejects list` shows what is open, with --all the rest",
  });
}

function named(what: string, ids: readonly string[]): string | null {
  if (ids.length === 0) return null;
  const more = ids.length - NAMED_IDS;
  return `${what}: ${ids.slice(0, NAMED_IDS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
