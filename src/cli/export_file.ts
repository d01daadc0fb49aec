import { AtomicFile } from "../generate/atomic_file.ts";
import { PgsluiceError } from "../pgsluice_error.ts";

/**
 * A new file for what is exported, which bears its name only once it is complete.
 *
 * @throws {PgsluiceError} `export-file`, each of its methods
 */
export class ExportFile {
  readonly path: string;
  readonly #file: AtomicFile;

  private constructor(path: string, file: AtomicFile) {
    this.path = path;
    this.#file = file;
  }

  /**
   * Commit or discard what this gives.
   * @throws {PgsluiceError} `export-file` if it is there, or cannot be made
   */
  static async create(path: string): Promise<ExportFile> {
    return await orFileError(path, async () => {
      const isThere = await Deno.lstat(path).then(() => true, () => false);
      // somebody may have spent an hour in it
      if (isThere) throw new Deno.errors.AlreadyExists("it is there already");
      return new ExportFile(path, await AtomicFile.create(path));
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    await orFileError(this.path, () => this.#file.write(bytes));
  }

  /** Gives it its name; after a failure it is still to be discarded. */
  async commit(): Promise<void> {
    await orFileError(this.path, () => this.#file.commit({ replace: false }));
  }

  /** Leaves nothing of it. Never rejects. */
  async discard(): Promise<void> {
    await this.#file.discard();
  }
}

async function orFileError<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PgsluiceError("export-file", `cannot write ${path}: ${why}`, {
      hint: "name a new file in a folder that is there and has room, or leave it out for stdout",
      cause,
    });
  }
}
