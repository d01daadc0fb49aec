import type { Machine } from "./machine.ts";

export interface Mount {
  /** As in `ext4`, `nfs4`, `fuse.sshfs`. */
  readonly type: string;
  /** Absolute. */
  readonly place: string;
}

/**
 * File systems that other machines, or the host of this one, write to without this kernel's
 * knowledge, so that inotify tells nothing of it.
 */
const REMOTE =
  /^(?:nfs\d?|cifs|smb3?|smbfs|ncpfs|afs|ceph|lustre|gpfs|beegfs|gfs2|ocfs2|9p|virtiofs|vboxsf|prl_fs|vmhgfs|fuse(?:\..+)?)$/;

/**
 * The file system that a path is on; null where the system does not tell.
 * @param path absolute, without links
 * @see proc(5), /proc/pid/mountinfo
 */
export async function mountOf(path: string, machine: Machine): Promise<Mount | null> {
  const text = await machine.readProc("/proc/self/mountinfo");
  if (text === null) return null;
  let found: Mount | null = null;
  for (const line of text.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const place = unescape(before.split(" ")[4] ?? "");
    const type = after.split(" ")[0] ?? "";
    if (place === "" || type === "" || !isBelow(path, place)) continue;
    // of two on one place the later one is on top
    if (found === null || place.length >= found.place.length) found = { place, type };
  }
  return found;
}

/** Whether others may change it without this machine's knowledge. */
export function isRemote({ type }: Mount): boolean {
  return REMOTE.test(type);
}

function isBelow(path: string, place: string): boolean {
  return place === "/" || path === place || path.startsWith(`${place}/`);
}

/** Blanks and the like are written as three octal digits. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}
