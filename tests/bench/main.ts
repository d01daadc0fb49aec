/**
 * `deno task bench [--quick] [--rounds N] [--events N] [--json] [ROW…]`: measures, and compares with
 * the goals. Rows can be named to run them alone; each verifies its result before it counts.
 * --events is for those that can do with fewer than they are meant for: `reports`. The table goes to
 * stdout, what is being done to stderr. Exit 0, whether goals are met or not; 1 if a result does not
 * verify; 2 for a wrong argument.
 *
 * The database is an embedded one with default settings, on disk, or the one whose URL is in
 * PGSLUICE_BENCH_DATABASE_URL, with the right to make databases and checkpoints there.
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import type { BenchOptions } from "./bench_options.ts";
import { withBenchPlace } from "./bench_place.ts";
import type { BenchRow } from "./bench_row.ts";
import { type BenchServer, benchServer, onServer } from "./bench_server.ts";
import { Datasets } from "./datasets.ts";
import { describeMachine, readMachine } from "./machine.ts";
import { reportTable } from "./report.ts";

type Bench = (options: BenchOptions) => Promise<BenchRow[]>;

/** In the order of running. A module is loaded when its row runs. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  decode: async () => (await import("./decode_bench.ts")).decodeBench,
  generate: async () => (await import("./generate_bench.ts")).generateBench,
  copy: async () => (await import("./copy_bench.ts")).copyBench,
  "key-alone": async () => (await import("./key_alone_bench.ts")).keyAloneBench,
  "bare-copy": async () => (await import("./bare_copy_bench.ts")).bareCopyBench,
  "single-file": async () => (await import("./single_file_bench.ts")).singleFileBench,
  inserts: async () => (await import("./inserts_bench.ts")).insertsBench,
  pgloader: async () => (await import("./pgloader_bench.ts")).pgloaderBench,
  pyspark: async () => (await import("./pyspark_bench.ts")).pysparkBench,
  duplicates: async () => (await import("./defects_bench.ts")).duplicatesBench,
  rejects: async () => (await import("./defects_bench.ts")).rejectsBench,
  table: async () => (await import("./table_bench.ts")).tableBench,
  "large-table": async () => (await import("./table_bench.ts")).largeTableBench,
  growth: async () => (await import("./growth_bench.ts")).growthBench,
  latency: async () => (await import("./latency_bench.ts")).latencyBench,
  start: async () => (await import("./start_bench.ts")).startBench,
  memory: async () => (await import("./memory_bench.ts")).memoryBench,
  soak: async () => (await import("./soak_bench.ts")).soakBench,
  folder: async () => (await import("./folder_bench.ts")).folderBench,
  export: async () => (await import("./export_bench.ts")).exportBench,
  reports: async () => (await import("./reports_bench.ts")).reportsBench,
  dashboard: async () => (await import("./dashboard_bench.ts")).dashboardBench,
};

const DEFAULT_ROUNDS = 3;
/** Under `--quick`. */
const QUICK_ROUNDS = 1;

const QUICK_NOTE =
  "quick: sizes so small that starting is much of each figure; the goals are for the full run\n";

const say = (text: string) => console.error(text);

function fail(message: string, hint: string): never {
  console.error(`error: ${message}\ntry: ${hint}`);
  Deno.exit(2);
}

const options = parseArgs(Deno.args, {
  boolean: ["quick", "json"],
  string: ["rounds", "events"],
  unknown: (argument, key) =>
    key === undefined ||
    fail(`${argument} is not known`, "--quick, --rounds N, --events N, --json"),
});
const quick = options.quick === true;
const rounds = Number(options.rounds ?? (quick ? QUICK_ROUNDS : DEFAULT_ROUNDS));
if (!Number.isInteger(rounds) || rounds < 1) fail("--rounds is not a count", "--rounds 3");
const events = options.events === undefined ? null : Number(options.events);
if (events !== null && (!Number.isInteger(events) || events < 1)) {
  fail("--events is not a count", "--events 1000000");
}
const names = options._.length > 0 ? options._.map(String) : Object.keys(BENCHES);
for (const name of names) {
  if (!Object.hasOwn(BENCHES, name)) fail(`no row ${name}`, Object.keys(BENCHES).join(", "));
}

const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "pgsluice-bench-" }));
// root's server runs as somebody else, who has to pass
await Deno.chmod(home, 0o711);
try {
  await using server = await benchServer(home);
  // a server that is left running would be in the way of the next one's figures
  await Promise.race([run(server), interrupted()]);
} finally {
  await Deno.remove(home, { recursive: true });
}

async function interrupted(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => reject(new Error(`ended by ${signal}`)));
  }
  return await promise;
}

async function run(server: BenchServer): Promise<void> {
  const machine = await onServer(server.target, readMachine);
  if (options.json !== true) {
    console.log(describeMachine(machine));
    if (quick) console.log(QUICK_NOTE);
  }
  const datasets = new Datasets(join(home, "data"));
  const rows: BenchRow[] = [];
  for (const name of names) {
    say(`measuring: ${name}`);
    try {
      const bench = await BENCHES[name]!();
      rows.push(
        ...await withBenchPlace(
          { server, home, name },
          (place) => bench({ quick, rounds, events, place, datasets, say }),
        ),
      );
    } catch (error) {
      // the others are still worth having
      console.error(error);
      const [reason] = String(error).split("\n");
      rows.push({ name, goal: "", figure: `failed: ${reason}`, met: false });
      Deno.exitCode = 1;
    }
  }
  console.log(
    options.json === true ? JSON.stringify({ machine, quick, rounds, rows }) : reportTable(rows),
  );
}
