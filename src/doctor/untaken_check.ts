import { isCandidateName } from "../source/folder_scan.ts";
import { type Check, type Finding, ok, together, warning } from "./check.ts";
import { realFolder } from "./folder_check.ts";
import { shellWord } from "./shell_word.ts";

interface UntakenKind {
  /** As in "3 files are …, such as a.csv.gz". */
  readonly what: string;
  readonly isOne: (entry: Deno.DirEntry) => boolean;
  readonly remedy: (path: string) => string;
}

/** What is left lying, and looks as if it was meant. */
const KINDS: readonly UntakenKind[] = [
  {
    what: "compressed",
    isOne: ({ name, isFile }) =>
      isFile && isVisible(name) &&
      /\.csv\.(?:gz|bz2|xz|zst|lz4|zip|Z)$|\.csv\.\w+\.gz$/i.test(name),
    remedy: (path) =>
      /\.gz$/i.test(path)
        ? `unpack them: gunzip -- ${path}`
        : `unpack them to names that end in .csv, such as ${path}`,
  },
  {
    what: "not named *.csv",
    isOne: ({ name, isFile }) =>
      isFile && isVisible(name) && /\.(?:tsv|tab|txt|csv~|csv\.\d+)$/i.test(name),
    remedy: (path) =>
      `give those that are CSV with commas a name that ends in .csv, such as ${path}`,
  },
  {
    what: "symbolic links, which are not followed",
    isOne: ({ name, isSymlink }) => isSymlink && isCandidateName(name),
    remedy: (path) =>
      `put the file itself there, or a hard link: ln -f "$(realpath ${path})" ${path}`,
  },
];

/** Files that an ingest passes over in silence. */
export const untakenCheck: Check = {
  name: "folder-untaken",
  applies: ({ folder }) => folder !== null,
  async look(ground) {
    const directory = await realFolder(ground);
    const found = new Map<UntakenKind, { count: number; name: string }>();
    for await (const entry of Deno.readDir(directory)) {
      const kind = KINDS.find(({ isOne }) => isOne(entry));
      if (kind === undefined) continue;
      const { count, name } = found.get(kind) ?? { count: 0, name: entry.name };
      found.set(kind, { count: count + 1, name: name < entry.name ? name : entry.name });
    }
    if (found.size === 0) return ok("nothing lies in it that is passed over and looks like events");
    const findings: Finding[] = [];
    for (const [{ what, remedy }, { count, name }] of found) {
      const noun = count === 1 ? "1 file is" : `${count} files are`;
      findings.push(
        warning(
          `${noun} passed over, being ${what}, such as ${name}`,
          remedy(shellWord(`${directory}/${name}`)),
        ),
      );
    }
    return together(findings);
  },
};

function isVisible(name: string): boolean {
  return !/^[._]/.test(name);
}
