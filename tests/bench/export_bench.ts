/**
 * `export` against `psql \copy … to`, round by round, both to /dev/null, their start included. First
 * of all what is exported is loaded into another table, which then has to hold the same rows.
 */
import { fromFileUrl, join } from "@std/path";
import { formatBytes, formatDuration, formatRate } from "../../src/cli/number_format.ts";
import { createTableSql } from "../../src/schema/ddl.ts";
import { csvHeader } from "../../src/schema/schema_help.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import { ingestProcess } from "./ingest_process.ts";
import { formatRatio, interleaved, median, ratioOf } from "./rounds.ts";
import { settle, TABLE, tableContent } from "./target_table.ts";
import { type ProcessRun, runProcess } from "./watched_process.ts";
import { whyNotInstalled } from "./why_not_installed.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
const GOAL_RATIO = 1;
const COLUMNS = csvHeader(USER_EVENTS).join(", ");
/** Where the exported rows are loaded to be compared. */
const COPY_TABLE = "exported";

interface ExportCase {
  readonly format: "csv" | "ndjson";
  /** What psql is told to copy, and how. */
  readonly psqlName: string;
  readonly psqlCopy: string;
  /** Loads the file into the empty `COPY_TABLE`. */
  readonly loadBack: (path: string) => readonly string[];
}

const CASES: readonly ExportCase[] = [{
  format: "csv",
  psqlName: "psql \\copy … csv header",
  psqlCopy: `(select ${COLUMNS} from ${TABLE}) to stdout csv header`,
  loadBack: (path) => [`\\copy ${COPY_TABLE} (${COLUMNS}) from '${path}' csv header`],
}, {
  format: "ndjson",
  psqlName: "psql \\copy of row_to_json",
  psqlCopy: `(select row_to_json(r) from (select ${COLUMNS} from ${TABLE}) r) to stdout`,
  loadBack: (path) => [
    "create temporary table lines (line jsonb)",
    // characters that JSON never has as they are
    `\\copy lines from '${path}' (format csv, delimiter E'\\x01', quote E'\\x02', escape E'\\x02')`,
    `insert into ${COPY_TABLE} (${COLUMNS})
      select ${COLUMNS} from lines, jsonb_populate_record(null::${COPY_TABLE}, line)`,
  ],
}];

export async function exportBench(options: BenchOptions): Promise<BenchRow[]> {
  const { place, datasets, quick, say } = options;
  const data = await datasets.get(
    quick
      ? { events: 200_000, files: 10, keys: "ordered" }
      : { events: 5_000_000, files: 100, keys: "ordered" },
  );
  const name = (format: string) => `export --format ${format} of ${data.name}`;
  const why = await whyNotInstalled("psql", ["--version"]);
  if (why !== null) {
    return CASES.map(({ format, psqlName }) =>
      skippedRow({ name: name(format), goal: goalText(psqlName), why })
    );
  }
  say(`loading ${data.name}`);
  await ingestProcess(place, data.directory);
  // or the server would do so by itself, while something is measured
  await place.database.sql.unsafe(`vacuum analyze ${TABLE}`);
  const rows: BenchRow[] = [];
  for (const each of CASES) {
    const sizeBytes = await verify(place, each, data.manifest.valid);
    await settle(place);
    const { first, second } = await interleaved(options.rounds, {
      async first() {
        const run = await exportProcess(place, ["--format", each.format]);
        say(`export --format ${each.format} took ${formatDuration(run.elapsedMs)}`);
        return run;
      },
      async second() {
        const run = await psqlProcess(place, [`\\copy ${each.psqlCopy}`]);
        say(`${each.psqlName} took ${formatDuration(run.elapsedMs)}`);
        return run;
      },
    });
    const elapsedMs = (runs: readonly ProcessRun[]) => runs.map((run) => run.elapsedMs);
    const ratio = ratioOf(elapsedMs(second), elapsedMs(first));
    rows.push({
      name: name(each.format),
      goal: goalText(each.psqlName),
      figure: figure(first, { rowCount: data.manifest.valid, sizeBytes }),
      ratio: formatRatio(ratio),
      baseline: `${each.psqlName}: ` +
        figure(second, { rowCount: data.manifest.valid, sizeBytes: null }),
      met: ratio.median >= GOAL_RATIO,
    });
  }
  return rows;
}

function goalText(psqlName: string): string {
  return `${GOAL_RATIO.toFixed(1)}x ${psqlName} or more`;
}

function figure(
  runs: readonly ProcessRun[],
  { rowCount, sizeBytes }: { rowCount: number; sizeBytes: number | null },
): string {
  const seconds = median(runs.map((run) => run.elapsedMs)) / 1000;
  const facts = [formatRate(rowCount / seconds, "rows")];
  if (sizeBytes !== null) facts.push(`${(sizeBytes / seconds / 1e6).toFixed(0)} MB/s`);
  const cpuMs = runs.map((run) => run.cpuMs).filter((ms) => ms !== null);
  if (cpuMs.length > 0) facts.push(`CPU ${formatDuration(median(cpuMs))}`);
  const peakBytes = runs.map((run) => run.peakBytes).filter((bytes) => bytes !== null);
  if (peakBytes.length > 0) facts.push(`memory ${formatBytes(median(peakBytes))}`);
  return facts.join(", ");
}

/** @returns the size of the file. @throws if it does not make the same rows again */
async function verify(
  place: BenchPlace,
  { format, loadBack }: ExportCase,
  expectedRows: number,
): Promise<number> {
  const { sql } = place.database;
  const path = join(place.home, `exported.${format}`);
  await exportProcess(place, [path, "--format", format]);
  await sql.unsafe(`drop table if exists ${COPY_TABLE}`);
  await sql.unsafe(createTableSql({ ...USER_EVENTS, indexes: [] }, { table: COPY_TABLE }));
  await sql.unsafe(
    `alter table ${COPY_TABLE} drop constraint ${COPY_TABLE}_pkey, drop column event_date,
      drop column event_hour, drop column file_id, drop column line_number`,
  );
  await psqlProcess(place, loadBack(path));
  const found = await tableContent(place, { table: COPY_TABLE });
  const expected = await tableContent(place);
  if (found.rows !== expectedRows || JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new Error(
      `${format}: exported ${JSON.stringify(found)}, the table has ${JSON.stringify(expected)}`,
    );
  }
  await sql.unsafe(`drop table ${COPY_TABLE}`);
  const { size } = await Deno.stat(path);
  await Deno.remove(path);
  return size;
}

async function exportProcess(place: BenchPlace, args: readonly string[]): Promise<ProcessRun> {
  return await runProcess(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "-A", MAIN, "export", ...args],
      ...["--quiet", `--database=${place.database.url}`],
    ],
    cwd: place.home,
  });
}

async function psqlProcess(place: BenchPlace, commands: readonly string[]): Promise<ProcessRun> {
  return await runProcess("psql", {
    args: [
      ...["-X", "-q", "-v", "ON_ERROR_STOP=1"],
      ...commands.flatMap((command) => ["-c", command]),
      place.database.url,
    ],
  });
}
