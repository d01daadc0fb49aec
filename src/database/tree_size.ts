import { join } from "@std/path";

/** Bytes of all files below a folder. One that goes away meanwhile counts nothing. */
export async function treeSize(path: string): Promise<number> {
  let sizeBytes = 0;
  try {
    for await (const entry of Deno.readDir(path)) {
      const inner = join(path, entry.name);
      sizeBytes += entry.isDirectory
        ? await treeSize(inner)
        : await Deno.lstat(inner).then(({ size }) => size, ignoreGone);
    }
  } catch (error) {
    ignoreGone(error);
  }
  return sizeBytes;
}

function ignoreGone(error: unknown): number {
  if (error instanceof Deno.errors.NotFound) return 0;
  throw error;
}
