import { dirname } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";

/** Where pgsluice is put by hand as a rule. */
export const USUAL_EXECUTABLE = "/usr/local/bin/pgsluice";

/** Folders that a service has for itself, or that are emptied. */
const PASSING = /^\/(?:tmp|var\/tmp|run|dev)\//;

/** The real path of the program that runs; null where that is Deno with the source. */
export async function ownExecutable(): Promise<string | null> {
  return Deno.build.standalone ? await Deno.realPath(Deno.execPath()) : null;
}

/**
 * Whether a unit can name it.
 *
 * @returns the path
 * @throws {PgsluiceError} `service-executable`
 */
export function refuseUnnamed(executable: string): string {
  if (!executable.startsWith("/")) {
    throw executableError(executable, "systemd asks for an absolute path");
  }
  if (/["'\\\p{Cc}]/u.test(executable)) {
    throw executableError(executable, "systemd takes no quotes or backslashes in its path");
  }
  return executable;
}

/**
 * Whether the service's user can run it, as far as modes tell: every folder above lets others pass.
 *
 * @throws {PgsluiceError} `service-executable`
 */
export async function refuseUnrunnable(executable: string): Promise<void> {
  const passing = PASSING.exec(executable)?.[0];
  if (passing !== undefined) throw executableError(executable, `${passing} does not last`);
  const fault = await othersCannot(executable);
  if (fault !== null) throw executableError(executable, fault);
}

/** Why a user without rights of its own cannot run it; null if it can. */
async function othersCannot(executable: string): Promise<string | null> {
  for (let path = executable;; path = dirname(path)) {
    const info = await Deno.stat(path).catch(() => null);
    if (info === null) return `${path} cannot be found`;
    if (path === executable && !info.isFile) return "it is no file";
    if (((info.mode ?? 0) & 0o001) === 0) return `${path} is closed to other users`;
    if (path === dirname(path)) return null;
  }
}

export function executableError(executable: string, why: string): PgsluiceError {
  return new PgsluiceError(
    "service-executable",
    `the service cannot run ${executable}: ${why}`,
    {
      hint: `put it where every user can run it, as by \`install -m 755 pgsluice ` +
        `${USUAL_EXECUTABLE}\`, and run \`${USUAL_EXECUTABLE} service install\``,
    },
  );
}
