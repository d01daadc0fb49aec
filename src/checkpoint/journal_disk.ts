/** What the journal asks of a file system, so that tests can fail each of it. */
export interface JournalDisk {
  /** Makes the folder and those above it; no error if it is there. */
  makeDirectory(path: string): void;
  /** Opens an empty file for writing, in the place of one that may be there. */
  create(path: string): JournalHandle;
  /** Opens a file that is there, to write behind its end. */
  reopen(path: string): JournalHandle;
  /** Makes the file if need be, and locks it. @returns null if another process holds the lock */
  lock(path: string): JournalHandle | null;
  /** Replaces what is at `to`. */
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Makes renames in the folder durable. */
  syncDirectory(path: string): void;
}

/** An open file. Closing it lets go of its lock. */
export interface JournalHandle {
  /** @returns how many bytes were written, 1 or more, perhaps not all */
  write(bytes: Uint8Array): number;
  sync(): void;
  sizeBytes(): number;
  /** False if this file was moved, removed or replaced. */
  isAt(path: string): boolean;
  close(): void;
}

export const localDisk: JournalDisk = {
  makeDirectory: (path) => Deno.mkdirSync(path, { recursive: true }),
  create: (path) => handleOf(Deno.openSync(path, { write: true, create: true, truncate: true })),
  reopen: (path) => handleOf(Deno.openSync(path, { append: true })),
  lock(path) {
    const file = Deno.openSync(path, { write: true, create: true });
    if (file.tryLockSync(true)) return handleOf(file);
    file.close();
    return null;
  },
  rename: (from, to) => Deno.renameSync(from, to),
  remove: (path) => Deno.removeSync(path),
  syncDirectory(path) {
    const handle = Deno.openSync(path, { read: true });
    try {
      handle.syncSync();
    } finally {
      handle.close();
    }
  },
};

function handleOf(file: Deno.FsFile): JournalHandle {
  const { dev, ino } = file.statSync();
  return {
    write: (bytes) => file.writeSync(bytes),
    sync: () => file.syncSync(),
    sizeBytes: () => file.statSync().size,
    isAt(path) {
      try {
        const there = Deno.statSync(path);
        return there.dev === dev && there.ino === ino;
      } catch {
        return false;
      }
    },
    close: () => file.close(),
  };
}
