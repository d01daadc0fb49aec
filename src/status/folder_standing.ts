import { join } from "@std/path";
import type { Sql } from "../database/connect.ts";
import type { Candidate } from "../source/folder_scan.ts";
import { type CommittedFile, compareFolder } from "./compare_folder.ts";
import { lookAtFolder } from "./folder_backlog.ts";
import type { FolderStanding, WatchedPipeline } from "./watch_picture.ts";

/** The ends of so many files are looked at to tell why they wait. */
const MOST_ENDS = 8;
const NEWLINE = 10;

/** Looks at all of the pipeline's folder and at all of its files in the ledger. */
export async function folderStanding(
  sql: Sql,
  pipeline: WatchedPipeline,
): Promise<FolderStanding> {
  const files = await sql<CommittedFile[]>`
    select path, state, committed_byte::float8 as "committedBytes"
    from pgsluice.files
    where pipeline_id = ${pipeline.pipelineId} and state <> 'superseded'`;
  const [clock] = await sql<{ atMs: number }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as "atMs"`;
  // the ledger does not have the flag, but what came of it
  const recursive = files.some(({ path }) => path.includes("/"));
  const look = await lookAtFolder(pipeline, { recursive });
  const { backlog, waiting, fresh } = compareFolder(files, look);
  return {
    lookedAtMs: clock!.atMs,
    backlog,
    backlogUnknown: look.kind === "unseen" ? look.why : null,
    arrivedBytes: look.kind === "unseen" ? null : arrivedBytes(look, { files, fresh }),
    isUnfinished: await areUnfinished(pipeline.sourcePath, waiting),
  };
}

/** What is in the folder, and what was committed of files that are there no more or are shorter. */
function arrivedBytes(
  { candidates }: { readonly candidates: ReadonlyMap<string, Candidate> },
  { files, fresh }: { files: readonly CommittedFile[]; fresh: readonly Candidate[] },
): number {
  const known = files.reduce(
    (sum, { path, committedBytes }) =>
      sum + Math.max(committedBytes, candidates.get(path)?.sizeBytes ?? 0),
    0,
  );
  return fresh.reduce((sum, { sizeBytes }) => sum + sizeBytes, known);
}

async function areUnfinished(folder: string, waiting: readonly Candidate[]): Promise<boolean> {
  if (waiting.length === 0 || waiting.length > MOST_ENDS) return false;
  const ends = await Promise.all(waiting.map((file) => lastByte(folder, file)));
  return ends.every((byte) => byte !== null && byte !== NEWLINE);
}

/** Null if it cannot be read: what the ingester makes of that is in its log. */
async function lastByte(folder: string, { path, sizeBytes }: Candidate): Promise<number | null> {
  try {
    using file = await Deno.open(join(folder, path));
    await file.seek(sizeBytes - 1, Deno.SeekMode.Start);
    const byte = new Uint8Array(1);
    return await file.read(byte) === 1 ? byte[0]! : null;
  } catch {
    return null;
  }
}
