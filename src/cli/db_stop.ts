import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { quietFlag } from "./common_flags.ts";

export const dbStopCommand: Command = {
  name: "db stop",
  summary: "stop the embedded server, whoever uses it",
  flags: [quietFlag],
  details: "Commands that use it end with an error; what they have committed stays. The next " +
    "command starts the server again.",
  run: runStop,
};

async function runStop({ terminal }: CommandContext): Promise<number> {
  const { stopEmbeddedServer } = await import("../database/embedded_server.ts");
  const { homePaths } = await import("../home.ts");
  const stopped = await stopEmbeddedServer(homePaths().postgres);
  await terminal.write(stopped ? "stopped\n" : "it was not up\n");
  return EXIT.done;
}
