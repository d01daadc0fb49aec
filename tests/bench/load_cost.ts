/** What a load took on both sides of the socket. */
import { formatBytes, formatDuration, formatRate } from "../../src/cli/number_format.ts";
import type { BenchPlace } from "./bench_place.ts";
import { median } from "./rounds.ts";
import { familyCpuMs, parentOf, type ProcessCost } from "./watched_process.ts";

export interface LoadCost extends ProcessCost {
  /** CPU time of all of the server's processes; null if it is not on this machine. */
  readonly serverCpuMs: number | null;
}

export async function costOfLoad(
  place: BenchPlace,
  load: () => Promise<ProcessCost>,
): Promise<LoadCost> {
  const beforeMs = await serverCpuMs(place);
  const cost = await load();
  const afterMs = await serverCpuMs(place);
  return {
    ...cost,
    serverCpuMs: beforeMs === null || afterMs === null ? null : afterMs - beforeMs,
  };
}

/** Rate, CPU time of the program and of the server, and the program's memory, each of the middle run. */
export function costFigure(recordCount: number, costs: readonly LoadCost[]): string {
  const facts = [
    formatRate(recordCount / median(costs.map(({ elapsedMs }) => elapsedMs)) * 1000, "rows"),
  ];
  const cpuMs = known(costs, "cpuMs");
  const serverCpuMs = known(costs, "serverCpuMs");
  const peakBytes = known(costs, "peakBytes");
  if (cpuMs !== null) facts.push(`CPU ${formatDuration(median(cpuMs))}`);
  if (serverCpuMs !== null) facts.push(`server's ${formatDuration(median(serverCpuMs))}`);
  if (peakBytes !== null) facts.push(formatBytes(median(peakBytes)));
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
async function serverCpuMs({ database: { sql } }: BenchPlace): Promise<number | null> {
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const postmaster = parentOf(row!.pid, "postgres");
  return postmaster === null ? null : familyCpuMs(postmaster);
}
