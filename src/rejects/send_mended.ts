import type { Sql } from "../database/connect.ts";
import type { MendedRow } from "./mended_rows.ts";

/** A table of the session's own, `(reject_id bigint, raw bytea)`, not unique. */
export const MENDED_TABLE = "pg_temp.pgsluice_mended";

/** What is sent to the server at a time. */
const SEND_ROWS = 1_000;
const SEND_BYTES = 1024 * 1024;

/** Puts mended records into a new {@linkcode MENDED_TABLE}: memory does not grow with their number. */
export async function sendMended(sql: Sql, mended: AsyncIterable<MendedRow>): Promise<void> {
  await sql`create temporary table pgsluice_mended (reject_id bigint not null, raw bytea not null)`;
  let rows: MendedRow[] = [];
  let sizeBytes = 0;
  const send = async () => {
    if (rows.length === 0) return;
    await sql`
      insert into ${sql.unsafe(MENDED_TABLE)} (reject_id, raw)
      select *
      from unnest(
        ${rows.map(({ rejectId }) => rejectId)}::bigint[],
        ${sql.array(rows.map(({ raw }) => raw))}::bytea[]
      )`;
    rows = [];
    sizeBytes = 0;
  };
  for await (const row of mended) {
    rows.push(row);
    sizeBytes += row.raw.length;
    if (rows.length === SEND_ROWS || sizeBytes >= SEND_BYTES) await send();
  }
  await send();
}
