import { tableName } from "../database/quote_identifier.ts";
import { schemaFingerprint } from "../schema/schema_fingerprint.ts";
import { hasOwnerSql } from "../sink/has_owner_sql.ts";
import { hostId } from "../source/host_id.ts";
import { type Check, ok, problem } from "./check.ts";
import type { Ground } from "./ground.ts";
import { askDatabase } from "./reach_database.ts";

interface Bound {
  readonly host: string;
  readonly source: string;
  readonly table: string;
  readonly timeZone: string;
  readonly schema: string;
}

const NOUNS: Readonly<Record<keyof Bound, string>> = {
  host: "the host",
  source: "the source",
  table: "the table",
  timeZone: "the time zone",
  schema: "the schema with fingerprint",
};

/** The pipeline is bound to what the flags name, if it is bound. */
export const pipelineCheck: Check = {
  name: "pipeline",
  async look(ground) {
    const sql = await askDatabase(ground);
    const { pipeline } = ground;
    const [ledger] = await sql`
      select
      from pg_class
      where relname = 'pipelines'
        and relnamespace = (select oid from pg_namespace where nspname = 'pgsluice')`;
    const isNew = ok(`${pipeline} is new in this database`);
    if (ledger === undefined) return isNew;
    const [row] = await sql.unsafe<(Bound & { hasOwner: boolean })[]>(
      `
select
  source_host as host,
  source_path as source,
  target_table as table,
  time_zone as "timeZone",
  schema_fingerprint as schema,
  ${hasOwnerSql("name")} as "hasOwner"
from pgsluice.pipelines
where name = $1`,
      [pipeline],
    );
    if (row === undefined) return isNew;
    const asked = await binding(ground);
    const differences = (Object.keys(NOUNS) as (keyof Bound)[])
      .filter((fact) => row[fact] !== asked[fact])
      .map((fact) => `${NOUNS[fact]} ${row[fact]}, not ${asked[fact]}`);
    if (differences.length > 0) {
      return problem(
        `${pipeline} is bound to ${differences.join("; ")}`,
        "name what it is bound to, or give the new source a pipeline of its own with --pipeline",
      );
    }
    return ok(
      row.hasOwner
        ? `${pipeline} has an ingester at work; another one would stand by`
        : `${pipeline} is bound to this source and table, and no ingester is at work`,
    );
  },
};

/** As an ingest would bind it. */
async function binding({ folder, table, timeZone, schema }: Ground): Promise<Bound> {
  return {
    host: folder === null ? "-" : await hostId(),
    source: folder === null ? "-" : await Deno.realPath(folder.path).catch(() => folder.path),
    table: tableName(table).quoted,
    timeZone,
    schema: schemaFingerprint(schema),
  };
}
