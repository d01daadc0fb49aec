import { join } from "@std/path";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { ServerSettings } from "./server_settings.ts";

/** A section of a service file. */
export interface Service {
  readonly settings: ServerSettings;
  /** For messages. */
  readonly origin: string;
}

/**
 * Looks a service up as libpq does: in `PGSERVICEFILE`, else `~/.pg_service.conf`, then in
 * `pg_service.conf` of the folder `PGSYSCONFDIR`.
 *
 * @throws {PgsluiceError} `database-service`: it is in no file, or its file cannot be read.
 * @see https://www.postgresql.org/docs/current/libpq-pgservice.html
 */
export function findService(
  name: string,
  environment: (name: string) => string | undefined,
): Service {
  const looked: string[] = [];
  for (const { path, mayMiss } of serviceFiles(environment)) {
    looked.push(path);
    const text = readText(path, mayMiss);
    const settings = text === null ? null : readSection(text, name, path);
    if (settings !== null) return { settings, origin: `service ${name} in ${path}` };
  }
  throw new PgsluiceError(
    "database-service",
    `service ${JSON.stringify(name)} is not defined in ${looked.join(" or ") || "any file"}`,
    {
      hint: `write a section [${name}] with lines such as host=db.example into ` +
        "~/.pg_service.conf, or name its file in PGSERVICEFILE",
      exitCode: EXIT.usage,
    },
  );
}

function serviceFiles(
  environment: (name: string) => string | undefined,
): { path: string; mayMiss: boolean }[] {
  const [named, home, system] = ["PGSERVICEFILE", "HOME", "PGSYSCONFDIR"].map(environment);
  const files: { path: string; mayMiss: boolean }[] = [];
  if (named) files.push({ path: named, mayMiss: false });
  else if (home) files.push({ path: join(home, ".pg_service.conf"), mayMiss: true });
  if (system) files.push({ path: join(system, "pg_service.conf"), mayMiss: true });
  return files;
}

function readText(path: string, mayMiss: boolean): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (mayMiss && error instanceof Deno.errors.NotFound) return null;
    throw new PgsluiceError("database-service", `cannot read the service file ${path}`, {
      hint: "PGSERVICEFILE names a file with a section [NAME] for each service, which this user " +
        "may read",
      exitCode: EXIT.usage,
      cause: error,
    });
  }
}

/** @returns null if the file has no such section; of two the first one counts */
function readSection(text: string, name: string, path: string): ServerSettings | null {
  let settings: Map<string, string> | null = null;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      if (settings !== null) return settings;
      if (line.startsWith(`[${name}]`)) settings = new Map();
      continue;
    }
    if (settings === null) continue;
    const equals = line.indexOf("=");
    if (equals > 0 && !/^service=/.test(line)) {
      settings.set(line.slice(0, equals), line.slice(equals + 1));
      continue;
    }
    // The line is not shown: it may be half a password.
    throw new PgsluiceError("database-service", `${path}: line ${index + 1} is not NAME=VALUE`, {
      hint: "write one setting a line, without spaces around =; a service within a service does " +
        "not work",
      exitCode: EXIT.usage,
    });
  }
  return settings;
}
