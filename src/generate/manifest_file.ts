import { PgsluiceError } from "../pgsluice_error.ts";
import { AtomicFile } from "./atomic_file.ts";
import { formatManifest, type Manifest } from "./manifest.ts";
import { systemReason } from "./system_reason.ts";

/**
 * The manifest on disk. It is opened before the first event, so that a path that cannot be written
 * is heard of at once; a former manifest there stays until the new one takes its place whole.
 */
export class ManifestFile {
  #file: AtomicFile | null;

  private constructor(file: AtomicFile) {
    this.#file = file;
  }

  /** The caller closes what this gives. @throws {PgsluiceError} `manifest-not-writable` */
  static async open(path: string): Promise<ManifestFile> {
    try {
      if ((await Deno.stat(path).catch(() => null))?.isDirectory) {
        throw new Error("it is a folder");
      }
      return new ManifestFile(await AtomicFile.create(path));
    } catch (error) {
      throw notWritable(path, error);
    }
  }

  /** Writes it, once. @throws {PgsluiceError} `manifest-not-writable` */
  async commit(manifest: Manifest): Promise<void> {
    const file = this.#file;
    if (file === null) throw new TypeError("the manifest has been written or closed");
    try {
      await file.write(new TextEncoder().encode(formatManifest(manifest)));
      await file.commit({ replace: true });
    } catch (error) {
      throw notWritable(file.path, error);
    }
    this.#file = null;
  }

  /** Leaves nothing behind unless it was committed. May be called twice. */
  async close(): Promise<void> {
    await this.#file?.discard();
    this.#file = null;
  }
}

function notWritable(path: string, cause: unknown): PgsluiceError {
  return new PgsluiceError(
    "manifest-not-writable",
    `cannot write ${path}: ${systemReason(cause)}`,
    {
      hint: "name a file in a folder you may write to with --manifest",
      cause,
    },
  );
}
