/** What every Prometheus client tells of its process, as far as it is cheap to know. */
import process from "node:process";
import { Counter, Gauge, type Registry } from "prom-client";

/** On Linux, and elsewhere; what neither has is not told. */
const DESCRIPTOR_FOLDERS = ["/proc/self/fd", "/dev/fd"];

/** @returns to be called before the registry is read */
export function processMetrics(registry: Registry): () => void {
  const registers = [registry];
  const memory = new Gauge({
    name: "process_resident_memory_bytes",
    help: "Memory of the process that is in RAM.",
    registers,
  });
  const cpu = new Counter({
    name: "process_cpu_seconds_total",
    help: "User and system time of the process.",
    registers,
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "When the process began, in seconds since 1970.",
    registers,
  }).set(performance.timeOrigin / 1000);
  const folder = DESCRIPTOR_FOLDERS.find((path) => countDescriptors(path) !== null);
  const descriptors = folder === undefined ? null : new Gauge({
    name: "process_open_fds",
    help: "File descriptors that the process has open.",
    registers,
  });
  let cpuSeconds = 0;
  return () => {
    memory.set(Deno.memoryUsage().rss);
    const { user, system } = process.cpuUsage();
    const nowSeconds = (user + system) / 1e6;
    cpu.inc(Math.max(0, nowSeconds - cpuSeconds));
    cpuSeconds = nowSeconds;
    const count = folder === undefined ? null : countDescriptors(folder);
    if (count !== null) descriptors?.set(count);
  };
}

function countDescriptors(folder: string): number | null {
  try {
    let count = -1; // the folder itself is open meanwhile
    for (const _ of Deno.readDirSync(folder)) count++;
    return count;
  } catch {
    return null;
  }
}
