/** End to end into the built-in table, with its indexes and without, against `psql \copy`. */
import { join } from "@std/path";
import { generateEvents } from "../../src/generate/generate_events.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { csvHeader } from "../../src/schema/schema_help.ts";
import { ingestOnce, type IngestPlace, verifyExact } from "../support/ingest_fixture.ts";
import type { BenchRow } from "./bench_row.ts";

const ROWS_PER_FILE = 20_000;

/** Sets of indexes besides the key's, as SQL on the table `t`. */
const INDEX_SETS: readonly { name: string; sql: string }[] = [
  { name: "key alone", sql: "" },
  { name: "built-in: brin (file_id), btree (event_timestamp)", sql: "built-in" },
  {
    name: "built-in and btree (user_id), btree (product_id)",
    sql: "create index on user_events (user_id); create index on user_events (product_id);",
  },
];

export async function loadBench(
  place: IngestPlace,
  options: { quick: boolean },
): Promise<BenchRow[]> {
  const events = options.quick ? 200_000 : 1_000_000;
  await generateEvents({
    events,
    rowsPerFile: ROWS_PER_FILE,
    seed: 1,
    start: new Date("2026-03-14T00:00:00Z"),
    dirtyPercent: 0,
    duplicatesPercent: 0,
    schema: USER_EVENTS,
    output: { kind: "folder", directory: place.events },
  });
  const rows: BenchRow[] = [];
  let builtIn = 0;
  for (const { name, sql } of INDEX_SETS) {
    await reset(place);
    if (sql !== "built-in") await dropIndexes(place);
    if (sql !== "built-in" && sql !== "") {
      await place.database.sql.unsafe(
        "create index on user_events using brin (file_id);" +
          "create index on user_events (event_timestamp);" + sql,
      );
    }
    const startedMs = performance.now();
    await ingestOnce(place);
    const rate = events / (performance.now() - startedMs) * 1000;
    if (sql === "built-in") {
      builtIn = rate;
      await verifyExact(place);
    }
    rows.push({
      name: `load ${events} events in files of ${ROWS_PER_FILE}, ${name}`,
      goal: "",
      figure: `${Math.round(rate)} rows/s`,
      met: true,
    });
  }
  rows.push(await copyBaseline(place, { events, builtIn }));
  return rows;
}

async function reset(place: IngestPlace): Promise<void> {
  const { setUp } = await import("../../src/database/set_up.ts");
  await place.database.sql.unsafe(
    "drop schema if exists pgsluice cascade; drop table if exists user_events",
  );
  await Deno.remove(join(place.home, "checkpoints"), { recursive: true }).catch(() => {});
  await setUp(place.database.target, { schema: USER_EVENTS, table: USER_EVENTS.table });
}

async function dropIndexes(place: IngestPlace): Promise<void> {
  const { sql } = place.database;
  const indexes = await sql<{ name: string }[]>`
    select indexrelid::regclass::text as name
    from pg_index where indrelid = 'user_events'::regclass and not indisprimary`;
  for (const { name } of indexes) await sql.unsafe(`drop index ${name}`);
}

async function copyBaseline(
  place: IngestPlace,
  { events, builtIn }: { events: number; builtIn: number },
): Promise<BenchRow> {
  const name = `psql \\copy of the same files, one after the other, built-in table`;
  const goal = "pgsluice 2.0x or more (a later issue's goal)";
  await reset(place);
  const { sql, url } = place.database;
  await sql.unsafe(`
    alter table user_events alter event_date drop not null, alter event_hour drop not null,
      alter file_id drop not null, alter line_number drop not null`);
  const files: string[] = [];
  for await (const entry of Deno.readDir(place.events)) {
    if (entry.name.endsWith(".csv")) files.push(join(place.events, entry.name));
  }
  const commands = files.sort().map((file) =>
    `\\copy user_events (${csvHeader(USER_EVENTS).join(", ")}) from '${file}' csv header`
  );
  const startedMs = performance.now();
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("psql", {
      args: ["-X", "-q", "-v", "ON_ERROR_STOP=1", ...commands.flatMap((c) => ["-c", c]), url],
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { name, goal, figure: "skipped: psql is not on PATH", met: true };
  }
  if (!output.success) throw new Error(new TextDecoder().decode(output.stderr));
  const rate = events / (performance.now() - startedMs) * 1000;
  const [row] = await sql<{ rows: number }[]>`select count(*)::int as rows from user_events`;
  if (row!.rows !== events) throw new Error(`\\copy loaded ${row!.rows} rows of ${events}`);
  return {
    name,
    goal,
    figure: `${Math.round(rate)} rows/s`,
    ratio: `pgsluice is ${(builtIn / rate).toFixed(2)}x`,
    met: builtIn / rate >= 2,
  };
}
