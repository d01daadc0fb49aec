import { join } from "@std/path";
import { noProbe, type Probe } from "../probe.ts";
import { type ByteSource, type FileStat, openFile } from "./byte_source.ts";
import { statCandidate } from "./folder_scan.ts";

/** A file that is open, until `close()`, and how it was when it had been opened. */
export interface OpenCandidate {
  readonly source: ByteSource;
  readonly stat: FileStat;
}

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
      const [named, stat] = [await statCandidate(folder, path, probe), await source.stat()];
      if (named !== null && named.inode === stat.inode) {
        return { source: probed(source, probe), stat };
      }
    } catch (error) {
      source.close();
      throw error;
    }
    source.close();
  }
  throw new Deno.errors.NotFound(`${path} is no file of the folder, or never the same`);
}

function probed(source: ByteSource, probe: Probe): ByteSource {
  return {
    async read(atByte, into) {
      probe("file.read");
      return await source.read(atByte, into);
    },
    close: () => source.close(),
  };
}
