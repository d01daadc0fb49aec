import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { exportCommand } from "../../src/cli/export.ts";
import { filesListCommand } from "../../src/cli/files_list.ts";
import { filesReloadCommand } from "../../src/cli/files_reload.ts";
import { filesUndoCommand } from "../../src/cli/files_undo.ts";
import { ingestCommand } from "../../src/cli/ingest.ts";
import { pruneCommand } from "../../src/cli/prune.ts";
import { queryCommand } from "../../src/cli/query.ts";
import { rejectsDiscardCommand } from "../../src/cli/rejects_discard.ts";
import { rejectsExportCommand } from "../../src/cli/rejects_export.ts";
import { rejectsListCommand } from "../../src/cli/rejects_list.ts";
import { rejectsRetryCommand } from "../../src/cli/rejects_retry.ts";
import { rejectsShowCommand } from "../../src/cli/rejects_show.ts";
import { setupCommand } from "../../src/cli/setup.ts";
import { statusCommand } from "../../src/cli/status.ts";
import { verifyCommand } from "../../src/cli/verify.ts";
import type { Command } from "../../src/cli/command.ts";
import { connect } from "../../src/database/connect.ts";
import { databaseError } from "../../src/database/fault.ts";
import { loaderGrants, readerGrants, rolesSql } from "../../src/database/role_grants.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { mergeMinutes } from "../../src/sink/merge_minutes.ts";
import { REPORTS } from "../../src/query/reports.ts";
import { csvText, eventLine, eventLines } from "../support/ingest_fixture.ts";
import { runCommand } from "../support/run_command.ts";
import { type TestDatabase, testDatabase } from "../support/test_database.ts";

/** A database that an owner has set up, in which others may do nothing yet. */
interface Guarded {
  readonly database: TestDatabase;
  readonly name: string;
  readonly role: string;
  /** As the role, and as its reader. */
  readonly url: string;
  readonly readerUrl: string;
  /** Of events and journals. */
  readonly home: string;
}

async function guarded(use: (place: Guarded) => Promise<void>): Promise<void> {
  await using database = await testDatabase({ setUp: true });
  const { sql } = database;
  const [row] = await sql`select current_database() as name`;
  const name: string = row!.name;
  const role = `a "loader" ${crypto.randomUUID().slice(0, 8)}`;
  const reader = `${role}_reader`;
  await sql.unsafe(`revoke all on database ${name} from public`);
  await sql.unsafe("revoke all on schema public from public");
  for (const each of [role, reader]) {
    await sql`create role ${sql(each)} login password 'secret'`;
  }
  const home = await Deno.realPath(await Deno.makeTempDir());
  const urlOf = (user: string) =>
    database.url.replace(/\/\/[^@]*@/, `//${encodeURIComponent(user)}:secret@`);
  try {
    await use({ database, name, role, url: urlOf(role), readerUrl: urlOf(reader), home });
  } finally {
    await Deno.remove(home, { recursive: true });
    for (const each of [role, reader]) {
      await sql`drop owned by ${sql(each)}`;
      await sql`drop role ${sql(each)}`;
    }
  }
}

/** Runs commands as one role; what fails, or ends with another code than said, throws. */
function runner(url: string) {
  return async (code: number, command: Command, ...args: string[]): Promise<string> => {
    const { exitCode, output } = await runCommand(command, "--database", url, ...args);
    assertEquals(exitCode, code, `${command.name} ${args.join(" ")}: ${output}`);
    return output;
  };
}

/** All that an ingester and whoever mends its work do, on everything that can be in a file. */
async function load({ url, home }: Guarded): Promise<void> {
  const run = runner(url);
  const events = join(home, "events");
  await Deno.mkdir(events);
  const write = (name: string, lines: readonly string[]) =>
    Deno.writeTextFile(join(events, name), csvText(lines));
  await write("a.csv", [...eventLines(0, 40), "nonsense", "more nonsense"]);
  await write("b.csv", [...eventLines(30, 60), eventLine(1, { price: "99.00" }), "open"]);
  const ingest = ["--once", "--no-wait", "--checkpoints", join(home, "checkpoints"), events];
  await run(0, setupCommand);
  await run(0, ingestCommand, ...ingest);
  assertStringIncludes(await run(0, statusCommand, "--json"), '"loaded":60');
  await run(0, verifyCommand);

  const bad = join(home, "bad.csv");
  await run(0, rejectsExportCommand, "--file", "a.csv", bad);
  const [header, first] = (await Deno.readTextFile(bad)).split("\n");
  const mended = `"${eventLine(70)}"`;
  await Deno.writeTextFile(bad, `${header}\n${first!.replace(/"?nonsense"?/, mended)}\n`);
  await run(0, rejectsRetryCommand, bad);
  await run(0, rejectsDiscardCommand, "--file", "a.csv");
  // records of b.csv wait for rows of a.csv, and are read again
  await run(0, filesUndoCommand, "a.csv");
  await run(0, filesReloadCommand, "a.csv");
  await run(0, rejectsDiscardCommand, "--file", "a.csv");
  await run(0, ingestCommand, ...ingest);
  await run(0, verifyCommand);
  await run(0, pruneCommand, "--older-than", "0s");
  // as an ingester does from time to time: twice, so that it meets sums that are there
  await merge(url);
  await run(0, filesUndoCommand, "a.csv");
  await run(0, filesReloadCommand, "a.csv");
  await merge(url);
  await run(0, verifyCommand);
  await run(0, setupCommand, "--recount");
  await run(0, verifyCommand);
}

async function merge(url: string): Promise<void> {
  const client = await connect({ kind: "server", url }, { applicationName: "test" });
  try {
    await mergeMinutes(client.sql);
  } catch (error) {
    throw databaseError(error, "merging");
  } finally {
    await client.close();
  }
}

/** All that somebody does who only looks. */
async function look({ readerUrl }: Guarded): Promise<void> {
  const run = runner(readerUrl);
  assertStringIncludes(await run(0, statusCommand, "--json"), '"loaded":60');
  await run(0, verifyCommand);
  await run(0, filesListCommand);
  await run(0, rejectsListCommand);
  for (const report of REPORTS.keys()) await run(0, queryCommand, report);
  assertStringIncludes(await run(0, exportCommand), eventLine(0).slice(0, 36));
  const [, first] = (await run(0, rejectsExportCommand, "-")).split("\n");
  await run(0, rejectsShowCommand, first!.split(",")[0]!);
}

/** The SQL in the test's own connection, which is in one transaction anyway. */
function withoutTransaction(text: string): string {
  return text.replace(/^(?:begin|commit);$/gm, "");
}

Deno.test("the SQL of setup --roles lets one role load and mend, and another one look", async () => {
  await guarded(async (place) => {
    const { database, role } = place;
    const output = await runner(database.url)(0, setupCommand, "--roles", role);
    for (const _ of ["new", "again"]) await database.sql.unsafe(withoutTransaction(output));
    await load(place);
    await look(place);
    const error = await assertRejects(
      () => runner(place.readerUrl)(0, rejectsDiscardCommand, "--file", "b.csv"),
      PgsluiceError,
    );
    assertEquals(error.code, "database-permission");
    assertStringIncludes(error.hint, "setup --roles");
  });
});

/** Each single right of statements as `grant select, insert on pgsluice.files to "role"`. */
function singleRights(statements: readonly string[]): { right: string; on: string }[] {
  return statements.flatMap((statement) => {
    const [, rights, on] = /^grant (.+) on (.+) to ".*"$/.exec(statement)!;
    const schemas = /^schema (.+)$/.exec(on!)?.[1]?.split(", ");
    return schemas === undefined
      ? rights!.split(", ").map((right) => ({ right, on: on! }))
      : schemas.map((schema) => ({ right: rights!, on: `schema ${schema}` }));
  });
}

const EXAMPLE = { role: "role", database: "database", table: "user_events" };

for (const { right, on } of singleRights(loaderGrants(EXAMPLE))) {
  Deno.test(`without ${right} on ${on} a role cannot do all that loading takes`, async () => {
    await guarded(async (place) => {
      const { database: { sql }, role, name } = place;
      await sql.unsafe(loaderGrants({ ...EXAMPLE, role, database: name }).join(";"));
      const taken = on.replace('"database"', name);
      await sql.unsafe(`revoke ${right} on ${taken} from "${role.replaceAll('"', '""')}"`);
      await assertNotAllowed(() => load(place), `${right} on ${on}`);
    });
  });
}

Deno.test("without any one of a reader's rights a role cannot do all that looking takes", async () => {
  await guarded(async (place) => {
    const { database: { sql }, role, name } = place;
    await sql.unsafe(withoutTransaction(rolesSql({ ...EXAMPLE, role, database: name })));
    await load(place);
    const reader = `"${`${role}_reader`.replaceAll('"', '""')}"`;
    for (const { right, on } of singleRights(readerGrants(EXAMPLE))) {
      const taken = on.replace('"database"', name);
      await sql.unsafe(`revoke ${right} on ${taken} from ${reader}`);
      await assertNotAllowed(() => look(place), `${right} on ${on}`);
      await sql.unsafe(`grant ${right} on ${taken} to ${reader}`);
    }
    await look(place);
  });
});

/** @param what The right that was taken away. */
async function assertNotAllowed(work: () => Promise<void>, what: string): Promise<void> {
  const error = await work().then(() => null, (cause) => cause);
  // a schema that may not be used is left out of the search path
  const isMissing = /permission denied|no schema has been selected|relation .* does not exist/;
  assert(isMissing.test(Deno.inspect(error)), `${what}: ${Deno.inspect(error)}`);
}

for (const role of ["", "pg_loader", "a\nb", "a$b", "x".repeat(57)]) {
  Deno.test(`${JSON.stringify(role)} is refused as the name of a role`, () => {
    const error = assertThrows(() => rolesSql({ ...EXAMPLE, role }), PgsluiceError);
    assertEquals([error.code, error.exitCode], ["role-name", 2]);
  });
}

Deno.test("setup prints one kind of SQL at a time, and none needs a database", async () => {
  const url = "postgresql://127.0.0.1:1/shop";
  const error = await assertRejects(
    () => runner(url)(0, setupCommand, "--print", "--roles", "shop"),
    PgsluiceError,
  );
  assertEquals(error.code, "usage");
  const output = await runner(url)(0, setupCommand, "--roles", "shop", "--table", "Shop.Events");
  assertStringIncludes(output, 'grant connect, temporary on database "shop" to "shop";');
  assertStringIncludes(output, 'grant usage on schema pgsluice, "shop" to "shop_reader";');
  assertStringIncludes(output, 'grant select, insert, delete on "shop"."events" to "shop";');
});
