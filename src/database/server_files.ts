import { dirname, join } from "@std/path";

/**
 * A file or link of the embedded server. Its path is below the server's folder, with `/` between
 * names; a link leads to a name in its own folder.
 */
export type ServerFile =
  | { readonly path: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly path: string; readonly linkTarget: string };

/** The embedded server as it came, before it is unpacked. */
export interface ServerFiles {
  /** Of the npm package, as in `18.4.0-beta.17`. */
  readonly version: string;
  /** All of it, links last. */
  files(): AsyncIterable<ServerFile>;
}

/**
 * Names of what no server, and nothing that a server loads, ever opens. All else stays: extensions
 * and procedural languages may be in data that is there, and of the 57 MB 34 are ICU, half of it
 * the data that collations are made of.
 */
const LEFT_OUT = new RegExp([
  "\\.a$|^pkgconfig$|^pgxs$", // to compile against PostgreSQL: a third of the files' number
  "^errcodes\\.txt$", // to compile procedural languages
  "^libecpg|^libpgtypes", // of C programs with SQL in them
  "^pg-symlinks\\.json$", // says what `missingLinks` makes
  "^psqlrc\\.sample$|^pg_service\\.conf\\.sample$", // of clients
].join("|"));

/** The folder of an npm package that the server's files are in. */
export function nativeDirectory({ postgres }: { readonly postgres: string }): string {
  return dirname(dirname(postgres));
}

/** @param directory As `nativeDirectory` names it. */
export async function packagedServer(directory: string): Promise<ServerFiles> {
  const { version } = JSON.parse(
    await Deno.readTextFile(join(dirname(directory), "package.json")),
  ) as { version: string };
  return {
    version,
    async *files() {
      yield* filesBelow(directory, "");
      yield* missingLinks(directory);
    },
  };
}

async function* filesBelow(root: string, below: string): AsyncGenerator<ServerFile> {
  const entries = await Array.fromAsync(Deno.readDir(join(root, below)));
  for (const entry of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (LEFT_OUT.test(entry.name)) continue;
    const path = below + entry.name;
    if (entry.isDirectory) yield* filesBelow(root, `${path}/`);
    else if (entry.isFile) yield { path, bytes: await Deno.readFile(join(root, path)) };
  }
}

/**
 * npm packages cannot hold links: a list says which there are to be. Deno's or npm's install script
 * may have made them; the list counts.
 */
async function* missingLinks(root: string): AsyncGenerator<ServerFile> {
  const links = JSON.parse(
    await Deno.readTextFile(join(root, "pg-symlinks.json")),
  ) as { source: string; target: string }[];
  for (const { source, target } of links) {
    if (LEFT_OUT.test(target.slice(target.lastIndexOf("/") + 1))) continue;
    yield {
      path: target.replace(/^native\//, ""),
      linkTarget: source.slice(source.lastIndexOf("/") + 1),
    };
  }
}
