/** What the figures were measured on. */
import type { Sql } from "../../src/database/connect.ts";
import { formatBytes } from "../../src/cli/number_format.ts";

export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memory: string;
  readonly deno: string;
  readonly postgresql: string;
  /** The server's settings that matter here, as it shows them. */
  readonly settings: Readonly<Record<string, string>>;
}

const SETTINGS = [
  "shared_buffers",
  "max_wal_size",
  "checkpoint_timeout",
  "fsync",
  "synchronous_commit",
  "wal_level",
  "autovacuum",
];

export async function readMachine(sql: Sql): Promise<Machine> {
  const settings: Record<string, string> = {};
  for (const name of SETTINGS) {
    const [row] = await sql<{ value: string }[]>`select current_setting(${name}) as value`;
    settings[name] = row!.value;
  }
  const [server] = await sql<{ version: string }[]>`
    select current_setting('server_version') as version`;
  return {
    cores: navigator.hardwareConcurrency,
    processor: await processorModel(),
    memory: formatBytes(Deno.systemMemoryInfo().total),
    deno: Deno.version.deno,
    postgresql: server!.version,
    settings,
  };
}

export function describeMachine(machine: Machine): string {
  const settings = Object.entries(machine.settings).map(([name, value]) => `${name} ${value}`);
  return `${machine.cores} cores (${machine.processor}), ${machine.memory} memory; ` +
    `Deno ${machine.deno}; PostgreSQL ${machine.postgresql}: ${settings.join(", ")}\n`;
}

async function processorModel(): Promise<string> {
  const text = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? Deno.build.arch;
}
