/** What a pipeline is doing, and why, if that is nothing. */
import type { FolderStanding, PipelinePicture } from "./watch_picture.ts";

/** A pipeline whose last batch is no older is at work. */
const AT_WORK_MS = 3_000;

/**
 * - `loading`: it has just committed something, or is about to.
 * - `nothing-yet`: nothing has been committed yet, nor is there anything to commit.
 * - `caught-up`: all that is there is committed.
 * - `no-ingester`: nobody holds the pipeline.
 * - `all-failed`: the folder has none but files that need a person.
 * - `unfinished`: what waits are last records without a newline.
 * - `stuck`: there is something to commit, and an ingester, and nothing is committed.
 * - `unseen`: nothing is committed, and whether something waits cannot be told from here.
 */
export type Activity =
  | "loading"
  | "nothing-yet"
  | "caught-up"
  | "no-ingester"
  | "all-failed"
  | "unfinished"
  | "stuck"
  | "unseen";

/** @param atMs when the picture was taken, by the server's clock */
export function activityOf(pipeline: PipelinePicture, atMs: number): Activity {
  const { hasOwner, lastBatchAtMs, folder } = pipeline;
  if (lastBatchAtMs !== null && atMs - lastBatchAtMs < AT_WORK_MS) return "loading";
  if (!hasOwner) return "no-ingester";
  if (folder === null || folder.backlog === null || isOlder(folder, lastBatchAtMs)) return "unseen";
  const { files, oldestChangeMs } = folder.backlog;
  if (files > 0) {
    if (folder.isUnfinished) return "unfinished";
    // it has just come
    return atMs - oldestChangeMs! < AT_WORK_MS ? "loading" : "stuck";
  }
  if (needsPerson(pipeline)) return "all-failed";
  return lastBatchAtMs === null ? "nothing-yet" : "caught-up";
}

/** What was seen before the last batch says nothing of what waits now. */
function isOlder({ lookedAtMs }: FolderStanding, lastBatchAtMs: number | null): boolean {
  return lastBatchAtMs !== null && lookedAtMs <= lastBatchAtMs;
}

function needsPerson({ totals }: PipelinePicture): boolean {
  const { failed = 0, held = 0, open = 0, done = 0 } = totals?.filesByState ?? {};
  return failed + held > 0 && open + done === 0;
}
