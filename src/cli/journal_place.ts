import { join } from "@std/path";
import type { Sql } from "../database/connect.ts";
import { homePaths } from "../home.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { CommandContext, FlagValues } from "./command.ts";

/** A pipeline, and the folder its journal is in. */
export interface JournalPlace {
  readonly pipeline: string;
  readonly directory: string;
}

export function checkpointsDirectory(flags: FlagValues): string {
  return flags.text("checkpoints") ?? homePaths().checkpoints;
}

/** What `--pipeline` and `--checkpoints` name. */
export function journalPlace(flags: FlagValues): JournalPlace {
  const pipeline = flags.text("pipeline") ?? "default";
  return { pipeline, directory: join(checkpointsDirectory(flags), pipeline) };
}

/** Connects to what `--database` names, for a look at the ledger beside the journal. */
export async function withLedger<T>(
  { flags, terminal }: CommandContext,
  use: (sql: Sql) => Promise<T>,
): Promise<T> {
  const { targetFromFlags } = await import("./database_option.ts");
  const { hasData } = await import("../status/has_data.ts");
  const target = targetFromFlags(flags);
  if (!await hasData(target)) {
    throw new PgsluiceError("no-ledger", "there is no database yet, and so no ledger", {
      hint: "load something with `pgsluice ingest`, or name a server with --database",
    });
  }
  const { connect } = await import("../database/connect.ts");
  const client = await connect(target, {
    applicationName: "pgsluice checkpoint",
    say: (text) => terminal.say(text),
  });
  try {
    return await use(client.sql);
  } finally {
    await client.close();
  }
}
