/** What a process has taken so far, as Linux tells it. Null where it does not, or has ended. */

/** `_SC_CLK_TCK` is 100 on every Linux that Deno runs on. */
const TICK_MS = 10;

/** User and system time. */
export function cpuMsOf(pid: number): number | null {
  const stat = readProc(`${pid}/stat`);
  if (stat === null) return null;
  // behind the name, which may hold anything, come field 3 and on
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  return (fields[11]! + fields[12]!) * TICK_MS;
}

/** Resident memory at its largest. */
export function peakBytesOf(pid: number): number | null {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`) ?? "")?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

/** Resident memory now. */
export function residentBytesOf(pid: number): number | null {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`) ?? "")?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

/** How many files, sockets and the like it has open. */
export function openFilesOf(pid: number): number | null {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
  } catch {
    return null;
  }
}

/**
 * Resident memory of all children of a process's parent, and of the parent: of a whole PostgreSQL
 * server, given one of its sessions. A page that several share counts once, in parts.
 */
export function sharedOutBytesOf(pid: number): number | null {
  const parent = parentOf(pid);
  if (parent === null) return null;
  const children = readProc(`${parent}/task/${parent}/children`);
  if (children === null) return null;
  let sumBytes = 0;
  for (const each of [parent, ...children.trim().split(" ").map(Number)]) {
    const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(readProc(`${each}/smaps_rollup`) ?? "")?.[1];
    sumBytes += Number(kibibytes ?? 0) * 1024;
  }
  return sumBytes === 0 ? null : sumBytes;
}

function parentOf(pid: number): number | null {
  // whose session it is, if the server is on this machine at all
  if (!/^postgres:/.test(readProc(`${pid}/cmdline`) ?? "")) return null;
  return Number(/^PPid:\s+(\d+)$/m.exec(readProc(`${pid}/status`) ?? "")?.[1]);
}

function readProc(name: string): string | null {
  try {
    return Deno.readTextFileSync(`/proc/${name}`);
  } catch {
    return null;
  }
}
