/** From a file's rename into the folder to its rows' being visible to another connection. */
import { formatCount } from "../../src/cli/number_format.ts";
import { verifyExact } from "../support/ingest_fixture.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import { type Arrivals, arrive, latencyAt, latencyFigure } from "./paced_arrivals.ts";
import { emptyFolder, whileIngesting } from "./watched_folder.ts";
import { freshTable, tableContent } from "./target_table.ts";

interface Case {
  readonly name: string;
  readonly filesPerSecond: number;
  readonly rowsPerFile: number;
  /** Null: only p99 has a goal. */
  readonly medianGoalMs: number | null;
  readonly p99GoalMs: number;
  readonly overTcp: boolean;
}

const SMALL = { filesPerSecond: 100, rowsPerFile: 10, medianGoalMs: 5, p99GoalMs: 25 };

const CASES: readonly Case[] = [
  { ...SMALL, name: "unix socket", overTcp: false },
  { ...SMALL, name: "TCP", overTcp: true },
  {
    name: "unix socket",
    filesPerSecond: 20,
    rowsPerFile: 1_000,
    medianGoalMs: null,
    p99GoalMs: 100,
    overTcp: false,
  },
];

const SECONDS = 30;
/** Under `--quick`. */
const QUICK_SECONDS = 3;

export async function latencyBench(options: BenchOptions): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const each of CASES) rows.push(await latencyRow(options, each));
  return rows;
}

async function latencyRow(options: BenchOptions, each: Case): Promise<BenchRow> {
  const { filesPerSecond, rowsPerFile, medianGoalMs, p99GoalMs } = each;
  const files = filesPerSecond * (options.quick ? QUICK_SECONDS : SECONDS);
  const name = `rename to rows visible, ${filesPerSecond} files a second of ` +
    `${formatCount(rowsPerFile)} rows, ${formatCount(files)} files, ${each.name}, ` +
    "asked for every millisecond";
  const goal = `${medianGoalMs === null ? "" : `median ${medianGoalMs} ms, `}p99 ${p99GoalMs} ms ` +
    "or less";
  const place = each.overTcp ? throughTcp(options.place) : options.place;
  if (place === null) return skippedRow({ name, goal, why: "the server has no TCP port" });
  const arrivals = await measure(place, { options, files, rowsPerFile, filesPerSecond });
  return {
    name,
    goal,
    figure: latencyFigure(arrivals),
    met: latencyAt(arrivals, 0.99) <= p99GoalMs &&
      (medianGoalMs === null || latencyAt(arrivals, 0.5) <= medianGoalMs),
  };
}

/** The ingester connects by TCP, and who looks at its rows as before. */
function throughTcp(place: BenchPlace): BenchPlace | null {
  if (place.tcpUrl === null) return null;
  return { ...place, database: { ...place.database, url: place.tcpUrl } };
}

async function measure(
  place: BenchPlace,
  { options: { datasets, say }, files, rowsPerFile, filesPerSecond }: {
    options: BenchOptions;
    files: number;
    rowsPerFile: number;
    filesPerSecond: number;
  },
): Promise<Arrivals> {
  const data = await datasets.get({ events: files * rowsPerFile, files, keys: "random" });
  await freshTable(place, "built-in");
  await emptyFolder(place.events);
  const arrivals = await whileIngesting(
    place,
    (ingester) => arrive(place, { data, filesPerSecond, ingester }),
  );
  say(`${filesPerSecond} files a second: ${latencyFigure(arrivals)}`);
  await verifyExact(place);
  const { rows } = await tableContent(place);
  if (rows !== data.manifest.valid) throw new Error(`${rows} rows of ${data.manifest.valid}`);
  return arrivals;
}
