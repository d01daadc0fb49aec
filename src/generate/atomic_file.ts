import { basename, dirname, join } from "@std/path";

/**
 * A file that bears its name only once it is whole and on disk: written as `.NAME.tmp` beside it,
 * which no watcher takes, then fsync, rename, fsync of the folder. Errors are Deno's own.
 */
export class AtomicFile {
  readonly path: string;
  readonly #temporaryPath: string;
  readonly #handle: Deno.FsFile;
  #isOpen = true;

  private constructor(path: string, temporaryPath: string, handle: Deno.FsFile) {
    this.path = path;
    this.#temporaryPath = temporaryPath;
    this.#handle = handle;
  }

  /** Takes over the temporary file that a kill may have left. Commit or discard what this gives. */
  static async create(path: string): Promise<AtomicFile> {
    const temporaryPath = join(dirname(path), `.${basename(path)}.tmp`);
    const handle = await Deno.open(temporaryPath, { create: true, write: true, truncate: true });
    return new AtomicFile(path, temporaryPath, handle);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      written += await this.#handle.write(bytes.subarray(written));
    }
  }

  /**
   * Gives the file its name; after a failure it is still to be discarded.
   * @throws {Deno.errors.AlreadyExists} if there is a file of that name and it is not to be replaced
   */
  async commit({ replace }: { replace: boolean }): Promise<void> {
    await this.#handle.sync();
    if (!replace && await exists(this.path)) {
      throw new Deno.errors.AlreadyExists(`${this.path} exists`);
    }
    await Deno.rename(this.#temporaryPath, this.path);
    this.#close();
    const folder = await Deno.open(dirname(this.path));
    try {
      await folder.sync();
    } finally {
      folder.close();
    }
  }

  /** Closes and removes the temporary file. */
  async discard(): Promise<void> {
    this.#close();
    // after a failure the disk may refuse this too, and the failure is what should be heard of
    await Deno.remove(this.#temporaryPath).catch(() => {});
  }

  #close(): void {
    if (this.#isOpen) this.#handle.close();
    this.#isOpen = false;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
