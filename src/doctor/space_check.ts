import { type Check, type Finding, ok, problem, together, warning } from "./check.ts";
import { formatSize } from "./format_size.ts";
import type { Ground } from "./ground.ts";
import { nearestThere } from "./nearest_there.ts";

interface Place {
  readonly noun: string;
  readonly path: string;
  /** Less is a warning; an eighth of it a problem. */
  readonly wantedBytes: number;
}

const MIB = 1024 * 1024;
/** A journal of 100,000 files has 20 MiB, and is written anew beside the old one. */
const JOURNAL_BYTES = 256 * MIB;
/** The server keeps up to 2 GiB of its log (`max_wal_size`) beside the data. */
const SERVER_BYTES = 4096 * MIB;
const PROBLEM_SHARE = 8;

/** There is room for the journal, and for the embedded server's data. */
export const spaceCheck: Check = {
  name: "free-space",
  async look(ground) {
    const findings: Finding[] = [];
    for (const place of places(ground)) findings.push(await lookAt(ground, place));
    return together(findings);
  },
};

function places({ checkpointsDirectory, target }: Ground): Place[] {
  return [
    { noun: "the journal", path: checkpointsDirectory, wantedBytes: JOURNAL_BYTES },
    ...(target.kind === "embedded"
      ? [{ noun: "the embedded server", path: target.dataDirectory, wantedBytes: SERVER_BYTES }]
      : []),
  ];
}

async function lookAt({ machine }: Ground, { noun, path, wantedBytes }: Place): Promise<Finding> {
  const there = await nearestThere(path);
  const { freeBytes, sizeBytes } = await machine.space(there);
  const found = `${formatSize(freeBytes)} of ${formatSize(sizeBytes)} are free for ${noun}`;
  if (freeBytes >= wantedBytes) return ok(found);
  const remedy = noun === "the journal"
    ? `make room on the file system of ${there}, or name another folder with --checkpoints`
    : `make room on the file system of ${there} (pgsluice prune, old files), set PGSLUICE_HOME ` +
      "to a larger one, or name another server with --database";
  const isProblem = freeBytes < wantedBytes / PROBLEM_SHARE;
  return (isProblem ? problem : warning)(`only ${found}`, remedy);
}
