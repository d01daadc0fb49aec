/** What a load took on both sides of the socket. */
import { formatBytes, formatDuration, formatRate } from "../../src/cli/number_format.ts";
import type { BenchPlace } from "./bench_place.ts";
import { median } from "./rounds.ts";
import { familyCpuMs, parentOf, type ProcessCost } from "./watched_process.ts";

export interface LoadCost extends ProcessCost {
  /** CPU time of all of the server's processes; null if it is not on this machine. */
  readonly serverCpuMs: number | null;
  /** What the server wrote ahead. */
  readonly walBytes: number;
}

export async function costOfLoad(
  place: BenchPlace,
  load: () => Promise<ProcessCost>,
): Promise<LoadCost> {
  const before = await serverWork(place);
  const cost = await load();
  const after = await serverWork(place);
  return {
    ...cost,
    serverCpuMs: before.cpuMs === null || after.cpuMs === null ? null : after.cpuMs - before.cpuMs,
    walBytes: after.walBytes - before.walBytes,
  };
}

/** Rate, CPU time of program and server, WAL, and the program's memory: each the median of the runs. */
export function costFigure(recordCount: number, costs: readonly LoadCost[]): string {
  const facts = [
    formatRate(recordCount / median(costs.map(({ elapsedMs }) => elapsedMs)) * 1000, "rows"),
  ];
  const cpuMs = known(costs, "cpuMs");
  const serverCpuMs = known(costs, "serverCpuMs");
  const peakBytes = known(costs, "peakBytes");
  if (cpuMs !== null) facts.push(`CPU ${formatDuration(median(cpuMs))}`);
  if (serverCpuMs !== null) facts.push(`server's ${formatDuration(median(serverCpuMs))}`);
  facts.push(`WAL ${formatBytes(median(costs.map(({ walBytes }) => walBytes)))}`);
  if (peakBytes !== null) facts.push(`memory ${formatBytes(median(peakBytes))}`);
  return facts.join(", ");
}

/** @returns null if it is not known of every one. */
export function known(
  costs: readonly LoadCost[],
  what: "cpuMs" | "serverCpuMs" | "peakBytes",
): number[] | null {
  const values = costs.map((cost) => cost[what]).filter((value) => value !== null);
  return values.length === costs.length ? values : null;
}

/** Since the server started. */
async function serverWork(
  { database: { sql } }: BenchPlace,
): Promise<{ cpuMs: number | null; walBytes: number }> {
  const [row] = await sql<{ pid: number; walBytes: number }[]>`
    select pg_backend_pid() as pid, (pg_current_wal_lsn() - '0/0')::float8 as "walBytes"`;
  const postmaster = parentOf(row!.pid, "postgres");
  return {
    cpuMs: postmaster === null ? null : familyCpuMs(postmaster),
    walBytes: row!.walBytes,
  };
}
