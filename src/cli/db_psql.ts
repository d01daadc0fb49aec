import { PgsluiceError } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, quietFlag } from "./common_flags.ts";

export const dbPsqlCommand: Command = {
  name: "db psql",
  summary: "open psql on the database",
  positionalsText: "[-- PSQL ARGUMENTS]",
  maxPositionals: Infinity,
  flags: [databaseFlag, quietFlag],
  details: "Starts the embedded server if it is down, and keeps it up meanwhile. psql itself is " +
    "the one on the PATH. As in: pgsluice db psql -- -c 'select count(*) from user_events'",
  interactive: true,
  run: runPsql,
};

async function runPsql({ flags, positionals, terminal }: CommandContext): Promise<number> {
  const { describeTarget, serverPassword } = await import("../database/database_target.ts");
  const { holdEmbeddedServer } = await import("../database/embedded_server.ts");
  const { targetFromFlags } = await import("./database_option.ts");
  const target = targetFromFlags(flags);
  const hold = target.kind === "embedded"
    ? await holdEmbeddedServer(target.dataDirectory, { say: (text) => terminal.say(text) })
    : null;
  try {
    const url = target.kind === "embedded" ? hold!.url(target.database) : describeTarget(target);
    return await runProgram(url, positionals, serverPassword(target));
  } finally {
    await hold?.release();
  }
}

async function runProgram(
  url: string,
  args: readonly string[],
  password: string | undefined,
): Promise<number> {
  try {
    const child = new Deno.Command("psql", {
      args: [`--dbname=${url}`, ...args],
      // Not as an argument: everyone can read those.
      env: password === undefined ? {} : { PGPASSWORD: password },
    }).spawn();
    return (await child.status).code;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new PgsluiceError("no-psql", `there is no psql on the PATH to open ${url} with`, {
      hint: "install it (Debian: apt install postgresql-client; macOS: brew install libpq), or " +
        "give that URL to another client while `pgsluice db start` keeps the server up",
      cause: error,
    });
  }
}
