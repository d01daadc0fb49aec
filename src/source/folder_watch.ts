import { basename } from "@std/path";
import { isCandidateName } from "./folder_scan.ts";

/**
 * Gathers what the operating system says of a folder. It only names files: whether and how far
 * they are to be read is decided by looking at them. Names that pile up while nobody listens are
 * kept once each, so memory is bounded by the number of files. Not everything is heard of: Deno
 * keeps 16 events and drops the rest, so news are a reason to scan as well.
 */
export class FolderWatch {
  readonly #watcher: Deno.FsWatcher;
  readonly #onNews: () => void;
  #paths = new Set<string>();
  #hasNews = false;

  /**
   * @param onNews called when there is something for `take()`
   * @throws what Deno.watchFs throws, as for a folder that is not there
   */
  constructor(folder: string, onNews: () => void) {
    this.#watcher = Deno.watchFs(folder, { recursive: false });
    this.#onNews = onNews;
    this.#listen();
  }

  /** The names that came since the last call; null if there was no news at all. */
  take(): ReadonlySet<string> | null {
    if (!this.#hasNews) return null;
    this.#hasNews = false;
    const paths = this.#paths;
    this.#paths = new Set();
    return paths;
  }

  close(): void {
    this.#watcher.close();
  }

  async #listen(): Promise<void> {
    try {
      for await (const event of this.#watcher) {
        if (event.kind === "access" || event.kind === "remove") continue;
        const names = event.paths.map((path) => basename(path)).filter(isCandidateName);
        for (const name of names) this.#paths.add(name);
        if (names.length > 0 || event.flag === "rescan") this.#tell();
      }
    } catch {
      // the watcher is broken; the timed scan goes on finding files
      this.#tell();
    }
  }

  #tell(): void {
    this.#hasNews = true;
    this.#onNews();
  }
}
