import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { jsonFlag, quietFlag } from "./common_flags.ts";
import { escapeControls } from "../escape_controls.ts";
import { formatBytes } from "./number_format.ts";

export const dbStatusCommand: Command = {
  name: "db status",
  summary: "show whether the embedded server is up, and where it lives",
  flags: [jsonFlag, quietFlag],
  run: runStatus,
};

async function runStatus({ flags, terminal }: CommandContext): Promise<number> {
  const { embeddedServerStatus } = await import("../database/embedded_server.ts");
  const { treeSize } = await import("../database/tree_size.ts");
  const { homePaths } = await import("../home.ts");
  const status = await embeddedServerStatus(homePaths().postgres);
  const sizeBytes = status.version === null ? 0 : await treeSize(status.dataDirectory);
  if (flags.switch("json")) {
    await terminal.write(
      `${JSON.stringify({ ...status, sizeBytes })}\n`,
    );
    return EXIT.done;
  }
  const state = !status.isUp
    ? "down"
    : status.isKept
    ? "up until `pgsluice db stop`"
    : "up while commands use it";
  const facts: [string, string][] = [
    ["server", status.version === null ? "none was made yet" : `PostgreSQL ${status.version}`],
    ["state", state],
    ["process", status.pid === null ? "-" : String(status.pid)],
    ["data", `${status.dataDirectory} (${formatBytes(sizeBytes)})`],
    ["socket", status.socketDirectory],
    ["log", status.logFile],
  ];
  await terminal.write(
    facts.map(([name, value]) => `${name.padEnd(9)}${escapeControls(value)}\n`).join(""),
  );
  return EXIT.done;
}
