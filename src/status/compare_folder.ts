import type { FileState } from "../sink/ledger_file.ts";
import type { Candidate } from "../source/folder_scan.ts";
import type { FolderLook } from "./folder_backlog.ts";
import type { Backlog } from "./status_report.ts";

/** What of the ledger's file decides whether it has a backlog. */
export interface CommittedFile {
  readonly path: string;
  readonly state: FileState;
  readonly committedBytes: number;
}

export interface FolderComparison<File> {
  /** Null if the folder was not seen. */
  readonly backlog: Backlog | null;
  /** The ledger's but superseded ones; bytes behind the committed ones, null if it was not seen. */
  readonly known: readonly { readonly file: File; readonly backlogBytes: number | null }[];
  /** In the folder, not in the ledger. */
  readonly fresh: readonly Candidate[];
  /** All of the folder that the backlog is made of. */
  readonly waiting: readonly Candidate[];
}

/** Puts the ledger's files and the folder's side by side. */
export function compareFolder<File extends CommittedFile>(
  files: readonly File[],
  look: FolderLook,
): FolderComparison<File> {
  const unmet = new Map(look.kind === "seen" ? look.candidates : []);
  const known: { file: File; backlogBytes: number | null }[] = [];
  const waiting: Candidate[] = [];
  const backlog = { files: 0, sizeBytes: 0, oldestChangeMs: null as number | null };
  const owe = (candidate: Candidate, committedBytes: number): number => {
    const sizeBytes = Math.max(0, candidate.sizeBytes - committedBytes);
    if (sizeBytes > 0) {
      waiting.push(candidate);
      backlog.files++;
      backlog.sizeBytes += sizeBytes;
      backlog.oldestChangeMs = Math.min(backlog.oldestChangeMs ?? Infinity, candidate.modifiedMs);
    }
    return sizeBytes;
  };
  for (const file of files) {
    if (file.state === "superseded") continue;
    const candidate = unmet.get(file.path);
    unmet.delete(file.path);
    // what is failed, held or another's double waits for somebody, not for the ingester
    const isLoading = file.state === "open" || file.state === "done";
    const backlogBytes = candidate === undefined
      ? null
      : isLoading
      ? owe(candidate, file.committedBytes)
      : 0;
    known.push({ file, backlogBytes });
  }
  const fresh = [...unmet.values()];
  for (const candidate of fresh) owe(candidate, 0);
  return { backlog: look.kind === "seen" ? backlog : null, known, fresh, waiting };
}
