import { type Check, type Finding, ok, problem, Skip } from "./check.ts";
import { realFolder } from "./folder_check.ts";
import { shellBytes, shellWord } from "./shell_word.ts";

const DOT = 0x2e;
const UNDERSCORE = 0x5f;
const SLASH = 0x2f;

interface OddNames {
  readonly count: number;
  /** Path of the first one, as bytes. */
  readonly first: Uint8Array | null;
}

/** Deno does not list a name that is not UTF-8, so that such a file is never taken. */
export const namesCheck: Check = {
  name: "folder-names",
  applies: ({ folder }) => folder !== null,
  async look(ground) {
    const directory = await realFolder(ground);
    const { findProgram } = ground.machine;
    const odd = await findOddNames(directory, {
      findProgram,
      recursive: ground.folder!.recursive,
    });
    return told(directory, odd);
  },
};

function told(directory: string, { count, first }: OddNames): Finding {
  if (first === null) return ok("all names in it are UTF-8");
  const what = count === 1 ? "1 name" : `${count} names`;
  return problem(
    `${what} of files to load cannot be seen, for they are not UTF-8, such as ` +
      shellBytes(first),
    `cd ${shellWord(directory)} && mv -- ${shellBytes(first)} NEW-NAME.csv; ` +
      "`convmv -f latin1 -t utf8 --notest FILES` renames many",
  );
}

/** @throws Skip where there is no `find` */
async function findOddNames(
  directory: string,
  { findProgram, recursive }: { findProgram: string; recursive: boolean },
): Promise<OddNames> {
  let process: Deno.ChildProcess;
  try {
    process = new Deno.Command(findProgram, {
      args: [".", ...(recursive ? [] : ["-maxdepth", "1"]), "-print0"],
      cwd: directory,
      env: { LC_ALL: "C" },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Skip(`there is no program \`${findProgram}\` to see names that Deno does not`);
    }
    throw error;
  }
  let count = 0;
  let first: Uint8Array | null = null;
  for await (const path of records(process.stdout)) {
    if (isUtf8(path) || !wouldBeTaken(path)) continue;
    count++;
    first ??= path.slice(2); // after `./`
  }
  await process.status;
  return { count, first };
}

/** What stands before each zero byte. */
async function* records(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array();
  for await (const chunk of stream) {
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    let from = 0;
    for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, from)) {
      yield bytes.subarray(from, end);
      from = end + 1;
    }
    rest = bytes.subarray(from);
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    UTF8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** By its ending and what its name begins with, as `isCandidateName` has it of names that are text. */
function wouldBeTaken(path: Uint8Array): boolean {
  const first = path[path.lastIndexOf(SLASH) + 1];
  const ending = String.fromCharCode(...path.subarray(-4)).toLowerCase();
  return ending === ".csv" && first !== DOT && first !== UNDERSCORE;
}
