import type { FolderStanding } from "../status/watch_picture.ts";

/** How fast bytes come into a folder, from one look at it to the next. No clock but the looks'. */
export class FolderArrivals {
  #last: FolderStanding | null = null;
  #bytesPerSecond: number | null = null;

  /**
   * @param standing of the newest look; the same one again changes nothing
   * @returns null if it is not known
   */
  bytesPerSecond(standing: FolderStanding | null): number | null {
    if (standing === this.#last) return this.#bytesPerSecond;
    const before = this.#last;
    this.#last = standing;
    this.#bytesPerSecond = null;
    if (before?.arrivedBytes == null || standing?.arrivedBytes == null) return null;
    const elapsedMs = standing.lookedAtMs - before.lookedAtMs;
    if (elapsedMs <= 0) return null; // the server's clock was set
    // less than before: files were taken away or cut short, of which nothing has come
    const bytes = Math.max(0, standing.arrivedBytes - before.arrivedBytes);
    this.#bytesPerSecond = bytes * 1000 / elapsedMs;
    return this.#bytesPerSecond;
  }
}
