/** Many files of one event each, as a service leaves them that writes every event by itself. */
import { join } from "@std/path";
import type { Dataset } from "./datasets.ts";

/** The files of a thousand are written at a time. */
const AT_ONCE = 1_000;

/**
 * Splits a data set's records.
 * @param directory is there; gets one file for each record
 */
export async function writeSmallFiles(data: Dataset, directory: string): Promise<void> {
  let index = 0;
  for (const file of data.files) {
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
    const header = lines[0]!;
    for (let from = 1; from < lines.length; from += AT_ONCE) {
      await Promise.all(
        lines.slice(from, from + AT_ONCE).map((line) =>
          Deno.writeTextFile(
            join(directory, `one-${String(index++).padStart(7, "0")}.csv`),
            `${header}\n${line}\n`,
          )
        ),
      );
    }
  }
}
