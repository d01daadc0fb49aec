/** Resident memory of pgsluice at its largest, for any input, and the server's beside it. */
import { fromFileUrl, join } from "@std/path";
import { verifyExact } from "../support/ingest_fixture.ts";
import type { BenchOptions } from "./bench_options.ts";
import type { BenchPlace } from "./bench_place.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import { benchExecutable } from "./executable.ts";
import { type MemoryInput, memoryInputs } from "./memory_inputs.ts";
import { peakBytesOf, sharedOutBytesOf } from "./process_usage.ts";
import { freshTable, tableContent } from "./target_table.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
const GOAL_BYTES = 160e6;
/** The kernel keeps the largest of the ingester's: only the last moment can be missed. */
const LOOK_MS = 20;
/** The server's processes come and go, and looking takes longer. */
const SERVER_LOOK_MS = 500;

interface Program {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
}

interface Peaks {
  /** Null where the system does not tell. */
  readonly ingesterBytes: number | null;
  readonly serverBytes: number | null;
}

export async function memoryBench(options: BenchOptions): Promise<BenchRow[]> {
  const { place, say } = options;
  const program = await findProgram(options);
  const rows: BenchRow[] = [];
  for (const make of memoryInputs(options)) {
    const input = await make();
    await freshTable(place, "built-in");
    const peaks = await load(place, { program, input });
    const { rows: found } = await tableContent(place);
    if (found !== input.rows) throw new Error(`${input.name}: ${found} rows of ${input.rows}`);
    if ("directory" in input.source) await verifyExact(place);
    const row = memoryRow({ program, input, peaks });
    say(`${row.name}: ${row.figure}`);
    rows.push(row);
  }
  return rows;
}

async function findProgram(options: BenchOptions): Promise<Program> {
  const executable = await benchExecutable(options);
  if (executable !== null) return { name: "the executable", path: executable, args: [] };
  return {
    name: "under Deno",
    path: Deno.execPath(),
    args: ["run", "--quiet", "-A", "--v8-flags=--max-semi-space-size=1", MAIN],
  };
}

function memoryRow(
  { program, input, peaks: { ingesterBytes, serverBytes } }: {
    program: Program;
    input: MemoryInput;
    peaks: Peaks;
  },
): BenchRow {
  const name = `resident memory, ${program.name}, ${input.name}`;
  const goal = `${megabytes(GOAL_BYTES)} or less`;
  if (ingesterBytes === null) {
    return skippedRow({ name, goal, why: "the system does not tell what a process takes" });
  }
  return {
    name,
    goal,
    figure: megabytes(ingesterBytes),
    ...(serverBytes === null ? {} : { baseline: `the server: ${megabytes(serverBytes)}` }),
    met: ingesterBytes <= GOAL_BYTES,
  };
}

/** Of 10^6 bytes. */
function megabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e6).toFixed(0)} MB`;
}

async function load(
  place: BenchPlace,
  { program, input: { source } }: { program: Program; input: MemoryInput },
): Promise<Peaks> {
  const isPiped = "pipedFile" in source;
  const child = new Deno.Command(program.path, {
    args: [
      ...program.args,
      "ingest",
      isPiped ? "-" : source.directory,
      ...(isPiped ? [] : ["--once"]),
      "--no-wait",
      "--quiet",
      `--database=${place.database.url}`,
      `--checkpoints=${join(place.home, "checkpoints")}`,
    ],
    stdin: isPiped ? "piped" : "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const [{ pid: backend }] = await place.database.sql<[{ pid: number }]>`
    select pg_backend_pid() as pid`;
  let ingesterBytes: number | null = null;
  let serverBytes: number | null = null;
  const timers = [
    setInterval(() => ingesterBytes = peakBytesOf(child.pid) ?? ingesterBytes, LOOK_MS),
    setInterval(() => {
      const nowBytes = sharedOutBytesOf(backend);
      if (nowBytes !== null) serverBytes = Math.max(serverBytes ?? 0, nowBytes);
    }, SERVER_LOOK_MS),
  ];
  try {
    if (isPiped) {
      const file = await Deno.open(source.pipedFile);
      await file.readable.pipeTo(child.stdin);
    }
    const { code } = await child.status;
    if (code !== 0) throw new Error(`the ingester ended with ${code}`);
  } finally {
    for (const timer of timers) clearInterval(timer);
  }
  return { ingesterBytes, serverBytes };
}
