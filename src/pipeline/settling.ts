import type { FileStat } from "../source/byte_source.ts";
import { isUnchanged, type TrackedFile } from "./tracked_file.ts";

/** Remembers how the file looks, and since when. */
export function noteLook(file: TrackedFile, stat: FileStat, nowMs: number): void {
  if (file.lastLook !== undefined && isUnchanged(file.lastLook.stat, stat)) return;
  file.lastLook = { stat, sinceMs: nowMs };
}

/**
 * ms until the file has not changed for `settleMs`; 0 or less if it has. That is by its own time of
 * change, unless that lies in what was the future when the change was seen: then by ours.
 */
export function settleLeftMs(
  file: TrackedFile,
  { settleMs, nowMs }: { settleMs: number; nowMs: number },
): number {
  if (file.lastLook === undefined) return settleMs;
  const { stat, sinceMs } = file.lastLook;
  return Math.min(stat.modifiedMs, sinceMs) + settleMs - nowMs;
}
