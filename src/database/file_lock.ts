import type { ServerAccount } from "./server_account.ts";

/**
 * Runs `work` while this process alone holds the lock on a file, which is made if need be. The
 * kernel lets go of it when a process dies, however it dies.
 *
 * @param owner Who shall own the file; the user of this process if null.
 */
export async function withFileLock<T>(
  lock: { readonly path: string; readonly owner: ServerAccount | null },
  work: () => Promise<T>,
): Promise<T> {
  const file = await openLockFile(lock);
  try {
    await file.lock(true);
    return await work();
  } finally {
    file.close();
  }
}

/** Opens a file to lock it. It stays empty; closing it lets go of the lock. */
export async function openLockFile(
  lock: { readonly path: string; readonly owner: ServerAccount | null },
): Promise<Deno.FsFile> {
  const file = await Deno.open(lock.path, { read: true, write: true, create: true, mode: 0o600 });
  try {
    if (lock.owner !== null) await Deno.chown(lock.path, lock.owner.uid, lock.owner.gid);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}
