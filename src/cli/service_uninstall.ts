import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { quietFlag } from "./common_flags.ts";
import { placeOf, rootFlag } from "./service_flags.ts";

export const serviceUninstallCommand: Command = {
  name: "service uninstall",
  summary: "stop every pipeline's service and remove what `service install` made",
  flags: [rootFlag, quietFlag],
  details: "Data and journals in /var/lib/pgsluice stay, and so do configurations that were " +
    "changed, and the user, who owns them.",
  run: runUninstall,
};

async function runUninstall({ flags, terminal }: CommandContext): Promise<number> {
  const { uninstallService } = await import("../service/uninstall_service.ts");
  const did = await uninstallService(await placeOf(flags));
  const lines = did.length === 0 ? ["nothing was there"] : did;
  await terminal.write(lines.map((line) => `${line}\n`).join(""));
  if (did.length > 0) terminal.say("the data in /var/lib/pgsluice and its user stay");
  return EXIT.done;
}
