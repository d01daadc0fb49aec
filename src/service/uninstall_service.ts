import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { CONFIG_FOLDER, exampleConfig, serviceFiles } from "./service_files.ts";
import type { Systemd } from "./systemd.ts";
import { UNIT_NAME } from "./unit.ts";

export interface UninstallOptions {
  /** The folder that is `/` for the service. */
  readonly root: string;
  /** Null where none runs in `root`. */
  readonly systemd: Systemd | null;
}

/**
 * Stops all pipelines' services and removes what installing made: the unit, what makes the user, and
 * configurations that nobody changed. Data, journals, changed configurations and the user, who owns
 * them, stay. Twice is safe.
 *
 * @returns what it did, in sentences
 * @throws {PgsluiceError} `service-file`, `systemd-tool`
 */
export async function uninstallService({ root, systemd }: UninstallOptions): Promise<string[]> {
  const did: string[] = [];
  const paths = serviceFiles({ executable: "" }).map(({ path }) => join(root, path));
  const isInstalled = await isThere(paths[0]!);
  if (isInstalled && systemd !== null) {
    await systemd.run("systemctl", ["stop", "pgsluice@*.service"]);
    // of a template: every pipeline's
    await systemd.run("systemctl", ["disable", UNIT_NAME]);
    did.push("stopped and disabled every pgsluice@ service");
  }
  for (const path of [...paths, ...await unchangedConfigs(root)]) {
    if (await remove(path)) did.push(`removed ${path}`);
  }
  await removeIfEmpty(join(root, CONFIG_FOLDER));
  if (isInstalled) await systemd?.run("systemctl", ["daemon-reload"]);
  return did;
}

async function unchangedConfigs(root: string): Promise<string[]> {
  const folder = join(root, CONFIG_FOLDER);
  if (!await isThere(folder)) return [];
  const paths: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const pipeline = /^(.+)\.json$/.exec(name)?.[1];
    if (!isFile || pipeline === undefined) continue;
    const path = join(folder, name);
    if (await Deno.readTextFile(path) === exampleConfig(pipeline).text) paths.push(path);
  }
  return paths.sort();
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** False if it was not there. */
async function remove(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new PgsluiceError("service-file", `cannot remove ${path}: ${(error as Error).message}`, {
      hint: "run it as root",
      cause: error,
    });
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  if (!await isThere(folder)) return;
  for await (const _ of Deno.readDir(folder)) return;
  await remove(folder);
}
