import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { quietFlag } from "./common_flags.ts";

export const dbStartCommand: Command = {
  name: "db start",
  summary: "start the embedded server and leave it up",
  flags: [quietFlag],
  details: "Commands start it by themselves, and the last of them stops it. Started by this one " +
    "it stays up until `pgsluice db stop`, or until the machine goes down.",
  run: runStart,
};

async function runStart({ terminal }: CommandContext): Promise<number> {
  const { startEmbeddedServer } = await import("../database/embedded_server.ts");
  const { homePaths } = await import("../home.ts");
  const started = await startEmbeddedServer(homePaths().postgres, {
    say: (text) => terminal.say(text),
  });
  await terminal.write(started ? "started; it stays up\n" : "it was up; it stays up\n");
  return EXIT.done;
}
