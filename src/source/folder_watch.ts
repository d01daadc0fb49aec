import { basename } from "@std/path";
import { isCandidateName } from "./folder_scan.ts";

/** What woke the ingester. */
export type FolderNews =
  /** These files were made, moved here or written to. */
  | { readonly kind: "paths"; readonly paths: ReadonlySet<string> }
  /** Something may have been missed: look at everything. */
  | { readonly kind: "scan" };

/**
 * Gathers what the operating system says of a folder. It only names files: whether and how far
 * they are to be read is decided by looking at them. Names that pile up while nobody listens are
 * kept once each, so memory is bounded by the number of files.
 */
export class FolderWatch {
  readonly #watcher: Deno.FsWatcher;
  readonly #onNews: () => void;
  #paths = new Set<string>();
  #missed = false;

  /**
   * @param onNews called when there is something for `take()`
   * @throws what Deno.watchFs throws, as for a folder that is not there
   */
  constructor(folder: string, onNews: () => void) {
    this.#watcher = Deno.watchFs(folder, { recursive: false });
    this.#onNews = onNews;
    this.#listen();
  }

  /** What came since the last call, null if nothing. */
  take(): FolderNews | null {
    if (this.#missed) {
      this.#missed = false;
      this.#paths = new Set();
      return { kind: "scan" };
    }
    if (this.#paths.size === 0) return null;
    const paths = this.#paths;
    this.#paths = new Set();
    return { kind: "paths", paths };
  }

  close(): void {
    this.#watcher.close();
  }

  async #listen(): Promise<void> {
    try {
      for await (const event of this.#watcher) {
        if (event.kind === "access" || event.kind === "remove") continue;
        if (event.flag === "rescan") this.#missed = true;
        for (const path of event.paths) {
          const name = basename(path);
          if (isCandidateName(name)) this.#paths.add(name);
        }
        if (this.#missed || this.#paths.size > 0) this.#onNews();
      }
    } catch {
      // the watcher is broken; the timed scan goes on finding files
      this.#missed = true;
      this.#onNews();
    }
  }
}
