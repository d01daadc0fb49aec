import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, quietFlag } from "./common_flags.ts";

export const dbUrlCommand: Command = {
  name: "db url",
  summary: "print the database's URL, for psql and other programs",
  flags: [databaseFlag, quietFlag],
  details:
    'As in: psql "$(pgsluice db url)". A password is left out. The embedded server answers ' +
    "while a command uses it, or after `pgsluice db start`.",
  run: runUrl,
};

async function runUrl({ flags, terminal }: CommandContext): Promise<number> {
  const { describeTarget } = await import("../database/database_target.ts");
  const { embeddedServerStatus, socketUrl } = await import("../database/embedded_server.ts");
  const { targetFromFlags } = await import("./database_option.ts");
  const target = targetFromFlags(flags);
  if (target.kind === "server") {
    await terminal.write(`${describeTarget(target)}\n`);
    return EXIT.done;
  }
  const { isUp, socketDirectory } = await embeddedServerStatus(target.dataDirectory);
  if (!isUp) terminal.say("the server is down; `pgsluice db start` starts it");
  await terminal.write(`${socketUrl(socketDirectory, target.database)}\n`);
  return EXIT.done;
}
