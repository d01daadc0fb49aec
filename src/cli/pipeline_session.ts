import type { DatabaseClient, Sql } from "../database/connect.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { Schema } from "../schema/schema.ts";
import type { NamedPipeline } from "../sink/named_pipeline.ts";
import type { CommandContext } from "./command.ts";

/** What a command on one pipeline's ledger works with: one connection, and the pipeline. */
export interface PipelineSession {
  readonly client: DatabaseClient;
  /** The client's. */
  readonly sql: Sql;
  readonly pipeline: NamedPipeline;
  readonly schema: Schema;
}

/**
 * Connects, finds the pipeline that `--pipeline` names, and closes after the work.
 * @param doing for errors of the database, as in `undoing files`
 * @throws PgsluiceError those of `findNamedPipeline`, and what the database says
 */
export async function withPipeline<Result>(
  { flags, terminal }: CommandContext,
  { doing, work }: { doing: string; work: (session: PipelineSession) => Promise<Result> },
): Promise<Result> {
  const { targetFromFlags } = await import("./database_option.ts");
  const { hasData } = await import("../status/has_data.ts");
  const { connect } = await import("../database/connect.ts");
  const { databaseError, isConnectionError, sqlState } = await import("../database/fault.ts");
  const { describeTarget } = await import("../database/database_target.ts");
  const { findNamedPipeline } = await import("../sink/named_pipeline.ts");
  const { USER_EVENTS } = await import("../schema/user_events.ts");
  const target = targetFromFlags(flags);
  if (!await hasData(target)) {
    throw new PgsluiceError("no-ledger", "there is no database yet, so there is nothing loaded", {
      hint: "load something with `pgsluice ingest`, or name a server with --database",
    });
  }
  const client = await connect(target, {
    applicationName: `pgsluice ${doing}`,
    // a person waits: the server's own limits on a long transaction are not for this
    sessionSettings: { statement_timeout: "0", idle_in_transaction_session_timeout: "0" },
    say: (text) => terminal.say(text),
  });
  try {
    const pipeline = await findNamedPipeline(client.sql, {
      name: flags.text("pipeline") ?? "default",
      schema: USER_EVENTS,
      table: undefined,
    });
    return await work({ client, sql: client.sql, pipeline, schema: USER_EVENTS });
  } catch (error) {
    if (sqlState(error) === undefined && !isConnectionError(error)) throw error;
    throw databaseError(error, `${doing} in ${describeTarget(target)}`);
  } finally {
    await client.close();
  }
}
