import { dirname } from "@std/path";

/** The path if there is anything, else the nearest one above it where there is. */
export async function nearestThere(path: string): Promise<string> {
  for (let place = path;; place = dirname(place)) {
    const isThere = await Deno.stat(place).then(() => true, (error: unknown) => {
      const isGone = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.NotADirectory;
      if (isGone && dirname(place) !== place) return false;
      throw error;
    });
    if (isThere) return place;
  }
}
