import { join } from "@std/path";

/** No watcher takes such a name, and no writer has it. */
function probeName(): string {
  return `.pgsluice-doctor-${crypto.randomUUID()}`;
}

/**
 * Makes an empty file in a folder, for `use`; afterwards it is gone, renamed or not.
 * @throws what making and `use` throw
 */
export async function withProbeFile<T>(
  folder: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(folder, probeName());
  (await Deno.open(path, { write: true, createNew: true, mode: 0o600 })).close();
  try {
    return await use(path);
  } finally {
    await Deno.remove(path).catch(() => {});
  }
}

/**
 * Whether a file can be moved from one folder to another in one step.
 * @throws what making the file throws
 */
export async function canRename(from: string, to: string): Promise<boolean> {
  return await withProbeFile(from, async (path) => {
    const target = join(to, probeName());
    try {
      await Deno.rename(path, target);
    } catch (error) {
      if (isCrossDevice(error)) return false;
      throw error;
    }
    await Deno.remove(target);
    return true;
  });
}

function isCrossDevice(error: unknown): boolean {
  return (error as { code?: unknown }).code === "EXDEV";
}
