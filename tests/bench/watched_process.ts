/** Runs a program, and sees what it and its children take. Figures are null where /proc is not. */
export interface ProcessCost {
  readonly elapsedMs: number;
  /** Resident memory of the tree at its largest, looked at 20 times a second; see `residentBytes`. */
  readonly peakBytes: number | null;
  /** User and system time of the tree, up to the last look. */
  readonly cpuMs: number | null;
}

export interface ProcessRun extends ProcessCost {
  readonly code: number;
  readonly stderr: string;
}

export interface WatchedProcess {
  readonly pid: number;
  readonly done: Promise<ProcessRun>;
  /** Signals the whole tree. */
  kill(signal: Deno.Signal): void;
}

const LOOK_MS = 50;
/** Only so often for new children: a JVM has hundreds of threads, each of which may have some. */
const LOOKS_PER_TREE = 10;
const PAGE_BYTES = 4096;
/** `_SC_CLK_TCK` is 100 on every Linux that Deno runs on. */
const TICK_MS = 10;

export interface ProcessOptions {
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

export function watchProcess(program: string, options: ProcessOptions): WatchedProcess {
  const startedMs = performance.now();
  const child = new Deno.Command(program, {
    ...options,
    args: [...options.args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const cpuMsByPid = new Map<number, number>();
  let pids = [child.pid];
  let peakBytes = 0;
  let lookCount = 0;
  const timer = setInterval(() => {
    if (lookCount++ % LOOKS_PER_TREE === 0) pids = treeOf(child.pid);
    let sumBytes = 0;
    for (const pid of pids) {
      const cost = costOf(pid);
      if (cost === null) continue;
      sumBytes += cost.residentBytes;
      cpuMsByPid.set(pid, cost.cpuMs);
    }
    peakBytes = Math.max(peakBytes, sumBytes);
  }, LOOK_MS);
  const finish = async (): Promise<ProcessRun> => {
    const stderr = new Response(child.stderr).text();
    const { code } = await child.status;
    const elapsedMs = performance.now() - startedMs;
    clearInterval(timer);
    const isSeen = cpuMsByPid.size > 0;
    return {
      code,
      elapsedMs,
      stderr: await stderr,
      peakBytes: isSeen ? peakBytes : null,
      cpuMs: isSeen ? cpuMsByPid.values().reduce((sum, ms) => sum + ms, 0) : null,
    };
  };
  return {
    pid: child.pid,
    done: finish(),
    kill(signal) {
      for (const pid of treeOf(child.pid)) {
        try {
          Deno.kill(pid, signal);
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error; // it was quicker
        }
      }
    },
  };
}

/** @throws with what it said, if it fails */
export async function runProcess(program: string, options: ProcessOptions): Promise<ProcessRun> {
  const run = await watchProcess(program, options).done;
  if (run.code !== 0) throw new Error(`${program} ended with ${run.code}: ${run.stderr}`);
  return run;
}

/** @returns the process and all below it. */
function treeOf(pid: number): number[] {
  const pids = [pid];
  for (let index = 0; index < pids.length; index++) {
    try {
      // a child belongs to the thread that started it
      for (const { name } of Deno.readDirSync(`/proc/${pids[index]}/task`)) {
        const children = Deno.readTextFileSync(`/proc/${pids[index]}/task/${name}/children`);
        pids.push(...children.split(" ").filter((text) => text !== "").map(Number));
      }
    } catch {
      continue; // ended, or no Linux
    }
  }
  return pids;
}

/** @returns the process's parent; null if there is no such process, or of another name */
export function parentOf(pid: number, name: string): number | null {
  const stat = readStat(pid);
  return stat?.name === name ? stat.numbers[1]! : null;
}

/** CPU time of a process, of its children that live, and of those that it has outlived. */
export function familyCpuMs(pid: number): number {
  const [own, ...children] = treeOf(pid).map((member) => readStat(member)?.numbers ?? []);
  const ended = cpuMsOf(own!, 13);
  return [own!, ...children].reduce((sum, numbers) => sum + cpuMsOf(numbers, 11), ended);
}

/** `residentBytes` counts a page that several share in each of them. */
function costOf(pid: number): { residentBytes: number; cpuMs: number } | null {
  const stat = readStat(pid);
  if (stat === null) return null;
  return { residentBytes: stat.numbers[21]! * PAGE_BYTES, cpuMs: cpuMsOf(stat.numbers, 11) };
}

/** User and system time, which stand side by side. */
function cpuMsOf(numbers: readonly number[], index: number): number {
  return ((numbers[index] ?? 0) + (numbers[index + 1] ?? 0)) * TICK_MS;
}

/** Numbers are the fields from the third on; see `man 5 proc_pid_stat`. */
function readStat(pid: number): { name: string; numbers: number[] } | null {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return null; // ended, or no Linux
  }
  // the name stands in parentheses, and may hold some
  const nameEnd = stat.lastIndexOf(")");
  return {
    name: stat.slice(stat.indexOf("(") + 1, nameEnd),
    numbers: stat.slice(nameEnd + 2).split(" ").map(Number),
  };
}
