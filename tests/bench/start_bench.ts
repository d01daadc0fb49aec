/** From the start of the executable to its first row's being visible to another connection. */
import { basename, join } from "@std/path";
import { formatDuration } from "../../src/cli/number_format.ts";
import { connect } from "../../src/database/connect.ts";
import { socketUrl } from "../../src/database/embedded_server.ts";
import { type ServerAccount, serverAccount } from "../../src/database/server_account.ts";
import { socketDirectory } from "../../src/database/socket_directory.ts";
import { verifyExact } from "../support/ingest_fixture.ts";
import type { BenchOptions } from "./bench_options.ts";
import { type BenchRow, skippedRow } from "./bench_row.ts";
import type { Dataset } from "./datasets.ts";
import { benchExecutable, NO_EXECUTABLE } from "./executable.ts";
import { median } from "./rounds.ts";
import { TABLE } from "./target_table.ts";
import { lastKey, VisibleRows } from "./visible_rows.ts";

const ROWS_PER_FILE = 10;
const STARTS = 9;
/** Under `--quick`. */
const QUICK_STARTS = 3;
const RUNNING_GOAL_MS = 300;
const NEW_SERVER_GOAL_MS = 1_500;
const TIMEOUT_MS = 60_000;
/** How often a server that is being made is tried. */
const CONNECT_PAUSE_MS = 20;
const DATABASE = "spark_db";

export async function startBench(options: BenchOptions): Promise<BenchRow[]> {
  const starts = options.quick ? QUICK_STARTS : STARTS;
  const running = {
    name: "start of the executable to first row visible, server running",
    goal: goalText(RUNNING_GOAL_MS),
  };
  const anew = {
    name: "the same with a new embedded server: unpack, initdb, start",
    goal: goalText(NEW_SERVER_GOAL_MS),
  };
  const executable = await benchExecutable(options);
  if (executable === null) {
    return [running, anew].map((row) => skippedRow({ ...row, why: NO_EXECUTABLE }));
  }
  const data = await options.datasets.get({
    events: ROWS_PER_FILE * starts,
    files: starts,
    keys: "random",
  });
  return [
    startRow(
      { ...running, goalMs: RUNNING_GOAL_MS },
      await startsOnServer(options, { executable, data }),
    ),
    startRow(
      { ...anew, goalMs: NEW_SERVER_GOAL_MS },
      await startsWithNewServer(options, { executable, data }),
    ),
  ];
}

function goalText(goalMs: number): string {
  return `${formatDuration(goalMs)} or less`;
}

function startRow(
  { name, goal, goalMs }: { name: string; goal: string; goalMs: number },
  startsMs: readonly number[],
): BenchRow {
  const middleMs = median(startsMs);
  return {
    name: `${name}, ${startsMs.length} starts`,
    goal,
    figure: `median ${formatDuration(middleMs)}, fastest ${formatDuration(Math.min(...startsMs))}`,
    met: middleMs <= goalMs,
  };
}

/** Each start finds one new file beside those of the starts before. */
async function startsOnServer(
  { place, say }: BenchOptions,
  { executable, data }: { executable: string; data: Dataset },
): Promise<number[]> {
  const startsMs: number[] = [];
  for (const file of data.files) {
    await Deno.copyFile(file, join(place.events, basename(file)));
    const rows = new VisibleRows(place.database.sql);
    rows.expect(await lastKey(file), performance.now());
    const child = new Deno.Command(executable, {
      args: [
        "ingest",
        place.events,
        "--once",
        "--quiet",
        `--database=${place.database.url}`,
        `--checkpoints=${join(place.home, "checkpoints")}`,
      ],
      stdin: "null",
    }).spawn();
    await rows.watch({ isOver: () => true, timeoutMs: TIMEOUT_MS });
    startsMs.push(rows.latenciesMs[0]!);
    say(`start: ${formatDuration(startsMs.at(-1)!)}`);
    const { code } = await child.status;
    if (code !== 0) throw new Error(`the executable ended with ${code}`);
  }
  await verifyExact(place);
  return startsMs;
}

/**
 * Each start has a home and a cache of its own, and so unpacks and makes everything. They stay to the
 * end: ext4 without a journal passes over the inodes of files deleted in the last minutes one by one,
 * and takes a second more for the thousand files of the next start.
 */
async function startsWithNewServer(
  { place, say }: BenchOptions,
  { executable, data }: { executable: string; data: Dataset },
): Promise<number[]> {
  const startsMs: number[] = [];
  // what root unpacks goes to a cache of the whole system
  const account = await serverAccount(join(place.home, "cluster"));
  for (const [index, file] of data.files.entries()) {
    const home = join(place.home, `new-${index}`);
    const events = join(home, "events");
    for (const folder of [home, events]) {
      await Deno.mkdir(folder);
      if (account !== null) await Deno.chown(folder, account.uid, account.gid);
    }
    await Deno.copyFile(file, join(events, basename(file)));
    startsMs.push(await newServerStart({ executable, account, home, events, file }));
    say(`start with a new server: ${formatDuration(startsMs.at(-1)!)}`);
  }
  return startsMs;
}

async function newServerStart({ executable, account, home, events, file }: {
  executable: string;
  account: ServerAccount | null;
  home: string;
  events: string;
  file: string;
}): Promise<number> {
  const server = await socketDirectory(join(home, "data/postgres"), () => undefined);
  const key = await lastKey(file);
  const startedMs = performance.now();
  const child = new Deno.Command(executable, {
    args: ["ingest", events, "--quiet"],
    clearEnv: true,
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: home,
      PGSLUICE_HOME: home,
      XDG_CACHE_HOME: join(home, "cache"),
    },
    cwd: home,
    stdin: "null",
    ...account,
  }).spawn();
  try {
    const target = { kind: "server", url: socketUrl(server, DATABASE) } as const;
    const client = await retry(() => connect(target, { applicationName: "bench" }));
    try {
      await retry(() => client.sql.unsafe(`select from ${TABLE} limit 1`));
      const rows = new VisibleRows(client.sql);
      rows.expect(key, startedMs);
      await rows.watch({ isOver: () => true, timeoutMs: TIMEOUT_MS });
      return rows.latenciesMs[0]!;
    } finally {
      await client.close();
    }
  } finally {
    child.kill("SIGTERM");
    await child.status; // which stops the server
  }
}

/** Until it is there. */
async function retry<T>(work: () => PromiseLike<T>): Promise<T> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, CONNECT_PAUSE_MS));
  }
}
