/**
 * `deno task bench [--quick] [--json] [ROW…]`: measures, and compares with the goals. Rows can be
 * named to run them alone: decode, generate, latency, load. Each verifies its result before it
 * counts. The database is an embedded one with default settings, on disk, or the one that
 * PGSLUICE_BENCH_DATABASE_URL names (an empty database).
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { renderTable } from "../../src/cli/render_table.ts";
import { connect } from "../../src/database/connect.ts";
import type { DatabaseTarget } from "../../src/database/database_target.ts";
import { setUp } from "../../src/database/set_up.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { IngestPlace } from "../support/ingest_fixture.ts";
import type { BenchRow } from "./bench_row.ts";
import { decodeBench } from "./decode_bench.ts";
import { generateBench } from "./generate_bench.ts";
import { latencyBench } from "./latency_bench.ts";
import { loadBench } from "./load_bench.ts";

type Options = { quick: boolean };

const BENCHES: Record<string, (options: Options) => Promise<BenchRow[]>> = {
  decode: decodeBench,
  generate: generateBench,
  latency: (options) => withBenchPlace((place) => latencyBench(place, options)),
  load: (options) => withBenchPlace((place) => loadBench(place, options)),
};

async function withBenchPlace(run: (place: IngestPlace) => Promise<BenchRow[]>) {
  const home = await Deno.realPath(await Deno.makeTempDir());
  await Deno.chmod(home, 0o755);
  const url = Deno.env.get("PGSLUICE_BENCH_DATABASE_URL");
  const target: DatabaseTarget = url
    ? { kind: "server", url }
    : { kind: "embedded", dataDirectory: join(home, "postgres"), database: "spark_db" };
  const events = join(home, "events");
  await Deno.mkdir(events);
  await setUp(target, { schema: USER_EVENTS, table: USER_EVENTS.table });
  const client = await connect(target, { applicationName: "bench" });
  try {
    const [row] = await client.sql<{ directory: string }[]>`
      select split_part(current_setting('unix_socket_directories'), ',', 1) as directory`;
    return await run({
      home,
      events,
      database: {
        url: url ?? `postgresql:///spark_db?user=postgres&host=${row!.directory}`,
        target,
        sql: client.sql,
        drop: async () => {},
        [Symbol.asyncDispose]: async () => {},
      },
    });
  } finally {
    await client.close();
    await Deno.remove(home, { recursive: true });
  }
}

const options = parseArgs(Deno.args, { boolean: ["quick", "json"] });
const names = options._.length > 0 ? options._.map(String) : Object.keys(BENCHES);
const rows: BenchRow[] = [];
for (const name of names) {
  const bench = BENCHES[name];
  if (bench === undefined) {
    console.error(`error: no row ${name}\ntry: ${Object.keys(BENCHES).join(", ")}`);
    Deno.exit(2);
  }
  console.error(`measuring: ${name} …`);
  rows.push(...await bench({ quick: options.quick === true }));
}
if (options.json === true) {
  console.log(JSON.stringify({ rows }));
} else {
  console.log(renderTable({
    columns: [
      { header: "what", align: "left" },
      { header: "goal", align: "left" },
      { header: "measured", align: "left" },
      { header: "ratio", align: "left" },
      { header: "met", align: "left" },
    ],
    rows: rows.map(({ name, goal, figure, ratio, met }) => [
      name,
      goal,
      figure,
      ratio ?? "",
      goal === "" ? "" : met ? "yes" : "no",
    ]),
  }));
}
