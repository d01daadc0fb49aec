import { resolve } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { Systemd } from "../service/systemd.ts";
import type { Flag, FlagValues } from "./command.ts";

export const servicePipelineFlag: Flag = {
  name: "pipeline",
  kind: "text",
  placeholder: "NAME",
  summary: "the pipeline, after which its service is named",
};

export const executableFlag: Flag = {
  name: "executable",
  kind: "text",
  placeholder: "FILE",
  summary: "the absolute path of pgsluice in the unit",
  defaultText: "this program",
};

export const rootFlag: Flag = {
  name: "root",
  kind: "text",
  placeholder: "DIR",
  summary: "the folder that is / for the service, as for packages; other than / no command of " +
    "systemd is run",
  defaultText: "/",
};

/**
 * Where to install, and the systemd that runs there.
 *
 * @throws {PgsluiceError} `no-systemd`, `not-root`
 */
export async function placeOf(
  flags: FlagValues,
): Promise<{ readonly root: string; readonly systemd: Systemd | null }> {
  const root = resolve(flags.text("root") ?? "/");
  if (root !== "/") return { root, systemd: null };
  const { runningSystemd } = await import("../service/systemd.ts");
  const systemd = await runningSystemd();
  if (Deno.uid() === 0) return { root, systemd };
  throw new PgsluiceError("not-root", "only root can change the services of this machine", {
    hint: "run it with sudo, or name another folder with --root",
  });
}
