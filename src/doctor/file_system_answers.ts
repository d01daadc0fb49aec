import type { Ground } from "./ground.ts";

/**
 * Resolves once the file system has answered that a path is on, which is there; never, if it is
 * stuck. To be awaited before a file is opened: Deno opens files on the thread that everything runs
 * on, which would stop the other checks and the time limits too. This asks on another thread, and of
 * the disk or its server, not of a cache.
 */
export async function fileSystemAnswers(
  { machine }: Pick<Ground, "machine">,
  path: string,
): Promise<void> {
  await machine.space(path);
}
