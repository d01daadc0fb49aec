/** Whose password is looked for. */
export interface PasswordQuestion {
  /** A name, an address, or the folder of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

export interface PasswordAnswer {
  readonly password: string | undefined;
  /** Why the file was not used, as a sentence for a person; null if it was, or is not there. */
  readonly trouble: string | null;
}

/** Where servers put their socket by default, as PostgreSQL itself and as packages have it. */
const DEFAULT_SOCKET_FOLDERS: readonly string[] = [
  "/tmp",
  "/var/run/postgresql",
  "/run/postgresql",
];

/**
 * Looks a password up in a file as libpq does: one that others may read is not used.
 *
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export async function readPasswordFile(
  path: string,
  question: PasswordQuestion,
): Promise<PasswordAnswer> {
  const ignored = (trouble: string): PasswordAnswer => ({
    password: undefined,
    trouble: `password file ${path} is ignored: ${trouble}`,
  });
  try {
    const { isFile, mode } = await Deno.stat(path);
    if (!isFile) return ignored("it is not a plain file");
    if (((mode ?? 0) & 0o077) !== 0) {
      return ignored(`others than its owner may use it (chmod 600 ${path})`);
    }
    return { password: findPassword(await Deno.readTextFile(path), question), trouble: null };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { password: undefined, trouble: null };
    return ignored("it cannot be read");
  }
}

/** The password of the first line that fits; lines are `HOST:PORT:DATABASE:USER:PASSWORD`. */
export function findPassword(text: string, question: PasswordQuestion): string | undefined {
  const { host, port, database, user } = question;
  const place = DEFAULT_SOCKET_FOLDERS.includes(host) ? "localhost" : host;
  const wanted = [place, String(port), database, user];
  for (const line of text.split(/\r*\n/)) {
    if (line.startsWith("#")) continue;
    const fields = splitLine(line);
    if (wanted.every((value, i) => fields[i]?.raw === "*" || fields[i]?.value === value)) {
      return fields[4]?.value || undefined;
    }
  }
  return undefined;
}

/** The fields of a line, with and without the backslashes that take a character's meaning. */
function splitLine(line: string): { raw: string; value: string }[] {
  return [...line.matchAll(/((?:\\.|[^:\\]|\\$)*)(?::|$)/g)].map(([, raw]) => ({
    raw: raw!,
    value: raw!.replace(/\\(.)/g, "$1"),
  }));
}
