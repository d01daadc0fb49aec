import type { Sql } from "../database/connect.ts";
import { type KnownFile, LedgerMovedError } from "./ledger.ts";

/** Where the bytes of a committed file are: in the folder, elsewhere, or nowhere any more. */
export interface FilePlace {
  readonly file: KnownFile;
  /** Absolute; null if it is in the folder, or deleted. */
  readonly archivedPath: string | null;
  /** It has been moved to `archivedPath`; otherwise that is about to be done. */
  readonly isArchived: boolean;
  readonly isDeleted: boolean;
  /** What is to be said of it. */
  readonly reason: string | null;
}

/**
 * Writes down where files are, in one statement. Their revision stays, for what is committed of
 * them does.
 * @throws LedgerMovedError if one of them is not as it was known; then nothing was written
 */
export async function writePlaces(sql: Sql, places: readonly FilePlace[]): Promise<void> {
  if (places.length === 0) return;
  const records = places.map(({ file, ...place }) => ({
    file_id: file.fileId,
    revision: file.revision,
    archived_path: place.archivedPath,
    is_archived: place.isArchived,
    is_deleted: place.isDeleted,
    reason: place.reason,
  }));
  await sql.begin(async (transaction) => {
    const written = await transaction`
      update pgsluice.files f
      set
        archived_path = p.archived_path,
        archived_at = case when p.is_archived then coalesce(f.archived_at, now()) end,
        deleted_at = case when p.is_deleted then coalesce(f.deleted_at, now()) end,
        reason = p.reason
      from jsonb_to_recordset(${JSON.stringify(records)}::text::jsonb) as p(
        file_id bigint, revision bigint, archived_path text, is_archived boolean,
        is_deleted boolean, reason text
      )
      where f.file_id = p.file_id and f.revision = p.revision
      returning 1`;
    if (written.length === places.length) return;
    throw new LedgerMovedError(places.map(({ file }) => file.path).slice(0, 5).join(", "));
  });
}
