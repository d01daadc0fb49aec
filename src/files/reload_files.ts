import type { Sql } from "../database/connect.ts";
import { sqlState } from "../database/fault.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import { FileFault } from "../pipeline/file_cursor.ts";
import { reloadFile } from "../pipeline/reload_file.ts";
import type { Schema } from "../schema/schema.ts";
import { LedgerMovedError, raiseChanges } from "../sink/ledger.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import { hostId } from "../source/host_id.ts";
import { findNamedFile, latestFiles, type NamedFile } from "./named_file.ts";

/** A batch of an ingester may be in the way, which is over soon. */
const TRIES = 5;
const LIMITS = { rows: 20_000, sizeBytes: 4 * 1024 * 1024, lingerMs: 0 };

const DEADLOCK = "40P01";

export interface ReloadedFile {
  readonly path: string;
  /** The new one. */
  readonly generation: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
}

/** A file that could not be reloaded; nothing of it has changed. */
export interface NotReloaded {
  readonly path: string;
  readonly reason: string;
}

export interface ReloadReport {
  readonly reloaded: readonly ReloadedFile[];
  readonly failed: readonly NotReloaded[];
}

export interface ReloadRequest {
  readonly pipeline: NamedPipeline;
  readonly schema: Schema;
  /** Named as people name them; null for all files of the pipeline. */
  readonly files: readonly string[] | null;
  readonly onProgress?: (progress: { path: string; bytes: number }) => void;
  readonly signal: AbortSignal;
}

/**
 * Loads files anew in place of what was loaded from them, each in one transaction of its own. A file
 * that cannot be read is reported, and the others go on.
 * @throws PgsluiceError `reload-stream`, `reload-elsewhere`, `no-such-file`
 */
export async function reloadFiles(sql: Sql, request: ReloadRequest): Promise<ReloadReport> {
  const { pipeline } = request;
  if (pipeline.sourceKind === "stdin") {
    throw new PgsluiceError("reload-stream", `pipeline ${pipeline.name} loads a stream`, {
      hint: "undo it with `pgsluice files undo`, and pipe it again under another --source-id",
      exitCode: EXIT.usage,
    });
  }
  if (pipeline.sourceHost !== await hostId()) {
    throw new PgsluiceError(
      "reload-elsewhere",
      `the folder ${pipeline.sourcePath} of pipeline ${pipeline.name} is on another machine`,
      { hint: "run this command there" },
    );
  }
  const files = request.files === null
    ? (await latestFiles(sql, pipeline)).filter(({ committedByte }) => committedByte > 0)
    : [];
  // all names are looked up before anything changes
  for (const file of request.files ?? []) {
    files.push(await findNamedFile(sql, { pipeline, file }));
  }
  const reloaded: ReloadedFile[] = [];
  const failed: NotReloaded[] = [];
  for (const file of files) {
    request.signal.throwIfAborted();
    try {
      reloaded.push(await reload(sql, { file, request }));
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === null) throw error;
      failed.push({ path: file.path, reason });
    }
  }
  return { reloaded, failed };
}

async function reload(
  sql: Sql,
  { file, request }: { file: NamedFile; request: ReloadRequest },
): Promise<ReloadedFile> {
  const { pipeline, schema, onProgress, signal } = request;
  const { pipelineId } = pipeline;
  for (let attempt = 1, known = file;; attempt++) {
    try {
      const { file: next, ...counts } = await reloadFile({
        sql,
        pipelineId,
        binding: pipeline,
        meaning: { ...pipeline, pipelineName: pipeline.name, schema },
        directory: pipeline.sourcePath,
        limits: LIMITS,
        file: known,
        reason: "reloaded by a command",
        onLocked: (transaction) => raiseChanges(transaction, pipelineId),
        onProgress: (bytes) => onProgress?.({ path: file.path, bytes }),
        signal,
      });
      return { path: next.path, generation: next.generation, ...counts };
    } catch (error) {
      const mayPass = error instanceof LedgerMovedError || sqlState(error) === DEADLOCK;
      if (!mayPass || attempt === TRIES) throw error;
      known = await findNamedFile(sql, { pipeline, file: `${pipeline.sourcePath}/${file.path}` });
    }
  }
}

/** Null if the error is not about the one file. */
function reasonOf(error: unknown): string | null {
  if (error instanceof Deno.errors.NotFound) return "the file is no longer there";
  if (error instanceof Deno.errors.PermissionDenied) return "the file may not be read";
  if (error instanceof FileFault) return error.message;
  const isWaiting = error instanceof PgsluiceError &&
    (error.code === "waiting-source-gone" || error.code === "waiting-expired");
  return isWaiting ? error.message : null;
}
