import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";

export type Credential = "dashboard-token" | "database-password" | "database-url";

/**
 * What a service manager put into the folder `CREDENTIALS_DIRECTORY`, as systemd does for
 * `LoadCredential=database-password:/etc/pgsluice/password`.
 *
 * @returns Without its last newline; undefined if there is none, or an empty one.
 * @throws {PgsluiceError} `credential`: it is there and cannot be read.
 * @see https://systemd.io/CREDENTIALS/
 */
export function readCredential(
  name: Credential,
  environment: (name: string) => string | undefined,
): string | undefined {
  const directory = environment("CREDENTIALS_DIRECTORY");
  if (!directory) return undefined;
  const path = join(directory, name);
  try {
    return Deno.readTextFileSync(path).replace(/\r?\n$/, "") || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new PgsluiceError("credential", `cannot read the credential ${path}`, {
      hint: "CREDENTIALS_DIRECTORY names a folder whose files this user may read; systemd makes " +
        "it for LoadCredential=",
      cause: error,
    });
  }
}
