/** A file system of 64 KiB in memory, for a disk that is full or may not be written to. */
import { join } from "@std/path";

const SIZE_KIB = 64;

export interface TinyFileSystem {
  /** Real path. */
  readonly directory: string;
  /** Leaves no room. */
  fill(): void;
  makeRoom(): void;
  setReadOnly(isReadOnly: boolean): Promise<void>;
}

/** Whether this process may mount: root outside of a container that forbids it. */
export const mayMount: boolean = await canMount();

export async function withTinyFileSystem(
  use: (fileSystem: TinyFileSystem) => Promise<void>,
): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir());
  const filler = join(directory, "filler");
  await run("mount", "-t", "tmpfs", "-o", `size=${SIZE_KIB}k`, "tmpfs", directory);
  try {
    await use({
      directory,
      fill: () => fillWith(filler),
      makeRoom: () => Deno.removeSync(filler),
      setReadOnly: (isReadOnly) =>
        run("mount", "-o", `remount,${isReadOnly ? "ro" : "rw"}`, directory),
    });
  } finally {
    await run("umount", directory);
    await Deno.remove(directory);
  }
}

function fillWith(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  try {
    for (;;) file.writeSync(new Uint8Array(4096));
  } catch (error) {
    if (!/no space left/i.test(String(error))) throw error;
  }
}

async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  try {
    await withTinyFileSystem(() => Promise.resolve());
    return true;
  } catch {
    return false;
  }
}

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}
