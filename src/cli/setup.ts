import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, jsonFlag, quietFlag, tableFlag } from "./common_flags.ts";
import { usageError } from "./usage_error.ts";

export const setupCommand: Command = {
  name: "setup",
  summary: "make the database, the ledger and the table where they are missing",
  flags: [
    {
      name: "print",
      kind: "switch",
      summary: "print the SQL instead, for people who run it themselves",
    },
    {
      name: "roles",
      kind: "text",
      placeholder: "NAME",
      summary: "print the SQL of two roles instead: NAME may load, NAME_reader may look",
    },
    {
      name: "recount",
      kind: "switch",
      summary: "count the table's rows anew for the reports, as after others changed them",
    },
    databaseFlag,
    tableFlag,
    jsonFlag,
    quietFlag,
  ],
  details: [
    "`pgsluice ingest` does the same by itself. What is there is compared with what is expected, " +
    "and never changed: setting up again is safe, and so is doing it twice at once.",
    "--recount: the reports read sums by minute, which the ingester keeps in each batch's " +
    "transaction. Rows that other programs change or delete are not in them until they are counted " +
    "anew; `pgsluice verify` tells when they differ. Loading waits meanwhile, some seconds for " +
    "10 million rows.",
    "Without the right to create, let an owner run the output of `pgsluice setup --print`.",
    "What `pgsluice setup --roles NAME` prints gives two roles the least rights they need, on what " +
    "an owner has set up: NAME runs `ingest` and the commands that mend its work, NAME_reader " +
    "`status`, `verify`, and lists. As in: pgsluice setup --roles shop | pgsluice db psql",
  ].join("\n\n"),
  run: runSetup,
};

async function runSetup({ flags, terminal }: CommandContext): Promise<number> {
  const { setUp, setUpSql } = await import("../database/set_up.ts");
  const { USER_EVENTS } = await import("../schema/user_events.ts");
  const table = flags.text("table") ?? USER_EVENTS.table;
  const role = flags.text("roles");
  if (flags.switch("print")) {
    if (role !== undefined) {
      throw usageError(
        "setup: --print and --roles each print SQL of their own",
        "give one of them",
      );
    }
    await terminal.write(setUpSql(USER_EVENTS, table));
    return EXIT.done;
  }
  const { describeTarget, targetDatabase } = await import("../database/database_target.ts");
  const { targetFromFlags } = await import("./database_option.ts");
  const target = targetFromFlags(flags);
  if (role !== undefined) {
    const { rolesSql } = await import("../database/role_grants.ts");
    await terminal.write(rolesSql({ role, database: targetDatabase(target), table }));
    return EXIT.done;
  }
  const { did } = await setUp(target, {
    schema: USER_EVENTS,
    table,
    say: (text) => terminal.say(text),
  });
  if (flags.switch("recount")) did.push(await recount());
  if (flags.switch("json")) {
    await terminal.write(`${JSON.stringify({ database: describeTarget(target), table, did })}\n`);
    return EXIT.done;
  }
  const lines = did.length === 0 ? ["everything was there"] : did;
  await terminal.write(`${[...lines, `ready: ${describeTarget(target)}`].join("\n")}\n`);
  return EXIT.done;

  async function recount(): Promise<string> {
    const { connect } = await import("../database/connect.ts");
    const { databaseError } = await import("../database/fault.ts");
    const { tableName } = await import("../database/quote_identifier.ts");
    const { recountMinutes } = await import("../sink/begin_minutes.ts");
    const client = await connect(target, {
      applicationName: "pgsluice setup",
      sessionSettings: { statement_timeout: "0", idle_in_transaction_session_timeout: "0" },
    });
    try {
      await recountMinutes(client.sql, { schema: USER_EVENTS, table: tableName(table).quoted });
      return `counted table ${table} anew by minute`;
    } catch (error) {
      throw databaseError(error, `counting table ${table}`);
    } finally {
      await client.close();
    }
  }
}
