import { basename, relative } from "@std/path";
import { isCandidatePath } from "./folder_scan.ts";

/**
 * Gathers what the operating system says of a folder. It only names files: whether and how far
 * they are to be read is decided by looking at them. Names that pile up while nobody listens are
 * kept once each, so memory is bounded by the number of files. Not everything is heard of: Deno
 * keeps 16 events and drops the rest, and of a folder that has just been made the files may go
 * unheard, so news are a reason to scan as well.
 */
export class FolderWatch {
  readonly #watcher: Deno.FsWatcher;
  readonly #folder: string;
  readonly #recursive: boolean;
  readonly #onNews: () => void;
  #paths = new Set<string>();
  #hasNews = false;

  /**
   * @param folder a real path; folders below are watched as well if `recursive`
   * @param onNews called when there is something for `take()`
   * @throws what Deno.watchFs throws, as for a folder that is not there
   */
  constructor(
    folder: string,
    { recursive = false, onNews }: { recursive?: boolean; onNews: () => void },
  ) {
    this.#watcher = Deno.watchFs(folder, { recursive });
    this.#folder = folder;
    this.#recursive = recursive;
    this.#onNews = onNews;
    this.#listen();
  }

  /** The paths that came since the last call; null if there was no news at all. */
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
        const paths = event.paths.map((path) => relative(this.#folder, path));
        const candidates = paths.filter(isCandidatePath);
        for (const path of candidates) this.#paths.add(path);
        const isNews = candidates.length > 0 || event.flag === "rescan" ||
          this.#recursive && event.kind !== "modify" && paths.some(mayBeFolder);
        if (isNews) this.#tell();
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

/** Something appeared that is no candidate; if it is a folder, there may be some in it. */
function mayBeFolder(path: string): boolean {
  return path !== "" && !/^[._]/.test(basename(path));
}
