import { join } from "@std/path";
import { noProbe, type Probe } from "../probe.ts";
import { type ByteSource, type FileStat, openFile } from "./byte_source.ts";
import { statCandidate } from "./folder_scan.ts";

/** A file that is open; it is until `close()`. */
export type OpenCandidate = ByteSource & { stat(): Promise<FileStat> };

/** So often a name is tried whose file is replaced while it is opened. */
const TRIES = 5;

/**
 * Opens a file of the folder, and makes sure that it is one: between a look and the opening a
 * symbolic link may have taken its name.
 * @throws what Deno.open throws; NotFound if no file of the folder has that name any more
 */
export async function openCandidate(
  folder: string,
  path: string,
  probe: Probe = noProbe,
): Promise<OpenCandidate> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    probe("file.open");
    const source = await openFile(join(folder, path));
    try {
      const [named, opened] = [await statCandidate(folder, path, probe), await source.stat()];
      if (named !== null && named.inode === opened.inode) return probed(source, probe);
    } catch (error) {
      source.close();
      throw error;
    }
    source.close();
  }
  throw new Deno.errors.NotFound(`${path} is no file of the folder, or never the same`);
}

function probed(source: OpenCandidate, probe: Probe): OpenCandidate {
  return {
    stat: () => source.stat(),
    async read(atByte, into) {
      probe("file.read");
      return await source.read(atByte, into);
    },
    close: () => source.close(),
  };
}
