import type { IngestPlace } from "./ingest_fixture.ts";

export interface LedgerRow {
  readonly path: string;
  readonly generation: number;
  readonly state: string;
  readonly reason: string | null;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly committedByte: number;
  readonly provisionalFrom: number | null;
  readonly archivedPath: string | null;
  readonly isArchived: boolean;
  readonly isDeleted: boolean;
}

/** The ledger's rows of the place's files, by path and generation. */
export async function ledgerFiles(place: IngestPlace): Promise<LedgerRow[]> {
  const rows = await place.database.sql<LedgerRow[]>`
    select path, generation, state, reason, loaded::int, rejected::int, duplicate::int,
      committed_byte::int as "committedByte", provisional_from_byte::int as "provisionalFrom",
      archived_path as "archivedPath", archived_at is not null as "isArchived",
      deleted_at is not null as "isDeleted"
    from pgsluice.files
    order by path, generation`;
  return [...rows];
}

/** The latest generation of one. */
export async function ledgerFile(place: IngestPlace, path: string): Promise<LedgerRow> {
  const rows = (await ledgerFiles(place)).filter((row) => row.path === path);
  const row = rows.at(-1);
  if (row === undefined) throw new Error(`the ledger has no file ${path}`);
  return row;
}

/** How many rows the table has. */
export async function rowCount(place: IngestPlace, where = "true"): Promise<number> {
  const [row] = await place.database.sql.unsafe<{ count: number }[]>(
    `select count(*)::int as count from user_events where ${where}`,
  );
  return row!.count;
}
