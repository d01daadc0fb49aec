import { basename, dirname, join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { exampleConfig, type ServiceFile, serviceFiles } from "./service_files.ts";
import type { Systemd } from "./systemd.ts";
import { SERVICE_USER } from "./unit.ts";

export interface InstallOptions {
  /** The folder that is `/` for the service. */
  readonly root: string;
  /** Null where none runs in `root`: the user is then made when one starts. */
  readonly systemd: Systemd | null;
  /** The path of pgsluice in `root`. */
  readonly executable: string;
  /** It gets a configuration to begin with, unless it has one. */
  readonly pipeline: string;
}

/**
 * Makes the unit, the user, and a configuration if there is none. Twice is safe; what is there and
 * is not as it should be, a configuration aside, is written anew.
 *
 * @returns what it did, in sentences
 * @throws {PgsluiceError} `service-file`, `systemd-tool`
 */
export async function installService(
  { root, systemd, executable, pipeline }: InstallOptions,
): Promise<string[]> {
  const did: string[] = [];
  const [unit, sysusers] = serviceFiles({ executable });
  for (const file of [unit!, sysusers!]) {
    if (await readIfThere(join(root, file.path)) === file.text) continue;
    await write(root, file);
    did.push(`wrote ${join(root, file.path)}`);
  }
  await systemd?.run("systemd-sysusers", [basename(sysusers!.path)]);
  const config = exampleConfig(pipeline);
  const configPath = join(root, config.path);
  if (await readIfThere(configPath) === null) {
    await write(root, config);
    const groupId = await findGroupId(root);
    if (groupId !== null) await Deno.chown(configPath, null, groupId);
    did.push(`wrote ${configPath}`);
  }
  await systemd?.run("systemctl", ["daemon-reload"]);
  return did;
}

/** @throws {PgsluiceError} `service-file` */
async function write(root: string, { path, text, mode }: ServiceFile): Promise<void> {
  const whole = join(root, path);
  try {
    await Deno.mkdir(dirname(whole), { recursive: true, mode: 0o755 });
    const unfinished = `${whole}.tmp`;
    await Deno.writeTextFile(unfinished, text, { mode });
    await Deno.chmod(unfinished, mode); // whatever the umask
    await Deno.rename(unfinished, whole);
  } catch (error) {
    throw new PgsluiceError("service-file", `cannot write ${whole}: ${(error as Error).message}`, {
      hint: "run it as root, or name a folder that you may write to with --root",
      cause: error,
    });
  }
}

/** The service's group, which may read its configuration; null where it is not made yet. */
async function findGroupId(root: string): Promise<number | null> {
  const groups = await readIfThere(join(root, "etc/group")) ?? "";
  const line = groups.split("\n").find((each) => each.startsWith(`${SERVICE_USER}:`));
  return line === undefined ? null : Number(line.split(":")[2]);
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new PgsluiceError("service-file", `cannot read ${path}: ${(error as Error).message}`, {
      hint: "run it as root",
      cause: error,
    });
  }
}
