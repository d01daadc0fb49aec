/** Moves that overwrite nothing, whatever other programs do to the names at the same time. */
import { dirname } from "@std/path";

/**
 * Moves a file to a name that is free. The name is taken by an empty file first, which the move
 * then replaces: a crash between the two leaves that behind.
 * @throws Deno.errors.AlreadyExists if the name is not free, and what making and moving throw
 */
export async function moveToFreeName(
  from: string,
  { to, beforeMove }: { to: string; beforeMove?: () => void },
): Promise<void> {
  await takeName(to).catch(async (error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await makeFolder(dirname(to));
    await takeName(to);
  });
  try {
    beforeMove?.();
    await Deno.rename(from, to);
  } catch (error) {
    await removeEmpty(to);
    throw error;
  }
}

async function takeName(path: string): Promise<void> {
  (await Deno.open(path, { write: true, createNew: true })).close();
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new Deno.errors.NotADirectory(`${path} is no folder`);
  }
}

/** Removes what `moveToFreeName` left behind. */
export async function removeEmpty(path: string): Promise<void> {
  try {
    if ((await Deno.lstat(path)).size === 0) await Deno.remove(path);
  } catch (error) {
    const isGone = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (!isGone) throw error;
  }
}
