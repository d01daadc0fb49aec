/**
 * What people write: parse with `@std/csv`, insert 1,000 rows a statement with postgres.js. A program
 * of its own; the files are its arguments, the database is in `PG*`.
 */
import { parse } from "@std/csv";
import postgres from "postgres";

const ROWS_PER_INSERT = 1_000;

const sql = postgres();
for (const file of Deno.args) {
  const [header = [], ...records] = parse(await Deno.readTextFile(file));
  const rows = records.map((record) =>
    Object.fromEntries(header.map((name, index) => [name, record[index] || null]))
  );
  for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
    const some = rows.slice(start, start + ROWS_PER_INSERT);
    await sql`insert into user_events ${sql(some, ...header)}`;
  }
}
await sql.end();
