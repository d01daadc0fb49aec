import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { targetDatabase, withDatabase } from "../../src/database/database_target.ts";
import { clockCheck } from "../../src/doctor/clock_check.ts";
import { connectionsCheck } from "../../src/doctor/connections_check.ts";
import { databaseCheck } from "../../src/doctor/database_check.ts";
import { grantsCheck } from "../../src/doctor/grants_check.ts";
import { journalCheck } from "../../src/doctor/journal_check.ts";
import { ledgerCheck } from "../../src/doctor/ledger_check.ts";
import { pipelineCheck } from "../../src/doctor/pipeline_check.ts";
import { synchronousCommitCheck } from "../../src/doctor/synchronous_commit_check.ts";
import { tableCheck } from "../../src/doctor/table_check.ts";
import { writableCheck } from "../../src/doctor/writable_check.ts";
import {
  csvText,
  eventLines,
  ingestOnce,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { type TestDatabase, testDatabase } from "../support/test_database.ts";
import { TinyPooler } from "../database/tiny_pooler.ts";
import { line, lookAtDatabase } from "./doctor_place.ts";

const HOUR_MS = 3_600_000;

/** A user with no rights but to log in; `url` is the database's, as that user. */
interface Role extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
}

async function newRole(database: TestDatabase): Promise<Role> {
  const name = `pgsluice_test_${crypto.randomUUID().slice(0, 8)}`;
  await database.sql.unsafe(`create role ${name} login password 'secret'`);
  return {
    name,
    url: database.url.replace(/\/\/[^@]*@/, `//${name}:secret@`),
    [Symbol.asyncDispose]: async () => {
      await database.sql.unsafe(`drop owned by ${name}; drop role ${name}`);
    },
  };
}

Deno.test("a fresh database is ok: an ingest makes what is missing", async () => {
  await using database = await testDatabase();
  const look = async (check: typeof grantsCheck) => line(await lookAtDatabase(check, database.url));
  assertMatch(await look(databaseCheck), /^ok postgresql:.* answers: PostgreSQL \d.*, UTF8, /);
  assertMatch(await look(ledgerCheck), /^ok there is none yet/);
  assertMatch(await look(tableCheck), /^ok user_events is not there yet/);
  assertMatch(await look(grantsCheck), /^ok role \S+ may do what an ingest does$/);
  assertMatch(await look(pipelineCheck), /^ok default is new in this database$/);
  assertMatch(await look(journalCheck), /^ok there is none yet/);
  assertMatch(await look(writableCheck), /^ok it takes writes$/);
  assertMatch(await look(synchronousCommitCheck), /^ok it is on, for this role/);
});

Deno.test("a database that is not there is ok for who may make it, else a problem", async () => {
  await using database = await testDatabase();
  const missing = (url: string) => {
    const target = withDatabase({ kind: "server", url }, "no_such_database");
    if (target.kind !== "server") throw new TypeError("it has a URL");
    return target.url;
  };
  const may = await lookAtDatabase(databaseCheck, missing(database.url));
  assertMatch(line(may), /^ok database no_such_database is not there yet; an ingest makes it$/);
  const ledger = await lookAtDatabase(ledgerCheck, missing(database.url));
  assertEquals(line(ledger), "skipped the database does not exist yet");
  await using role = await newRole(database);
  const mayNot = await lookAtDatabase(databaseCheck, missing(role.url));
  assertMatch(line(mayNot), /^problem .* may not make it → .*create database "no_such_database"/);
  assertEquals(line(mayNot).includes("secret"), false);
});

Deno.test("a pooler in transaction mode is a problem", async () => {
  await using database = await testDatabase();
  await using pooler = new TinyPooler(database.url, "transaction");
  const result = await lookAtDatabase(databaseCheck, pooler.url);
  assertMatch(line(result), /^problem .*pooler in transaction mode.* → .*session mode/);
});

Deno.test("a role without grants is told each one, and they are enough", async () => {
  await using database = await testDatabase({ setUp: true });
  await using role = await newRole(database);
  await database.sql.unsafe(
    `revoke temporary on database ${targetDatabase(database.target)} from public`,
  );
  const look = () => lookAtDatabase(grantsCheck, role.url);
  const without = await look();
  assertEquals(without.status, "problem");
  for (
    const part of [
      "may not make temporary tables",
      "may not use schema pgsluice",
      "may not select, insert, update on pgsluice.files",
      "may not select, insert, delete on table user_events",
    ]
  ) assertStringIncludes(without.found, part);
  await database.sql.unsafe(without.remedy!);
  assertEquals((await look()).status, "ok");
  await withPlace(
    {
      ...database,
      target: { kind: "server", url: role.url },
      drop: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    async (place) => {
      await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
      assertEquals((await ingestOnce(place)).loaded, 10);
    },
  );
});

Deno.test("a role that may not make the ledger or the table is told so", async () => {
  await using database = await testDatabase();
  await database.sql`revoke create on schema public from public`;
  await using role = await newRole(database);
  const result = await lookAtDatabase(grantsCheck, role.url);
  assertMatch(
    line(result),
    /^problem .* may not make the ledger .* may not make table user_events/,
  );
  assertStringIncludes(result.remedy!, "pgsluice setup");
});

Deno.test("a table in a schema that is missing is a problem", async () => {
  await using database = await testDatabase({ setUp: true });
  const result = await lookAtDatabase(grantsCheck, database.url, { table: "shop.events" });
  assertMatch(line(result), /^problem there is no schema shop .* → create schema shop, or name/);
});

Deno.test("a table with another column type is a problem that names it", async () => {
  await using database = await testDatabase({ setUp: true });
  assertMatch(
    line(await lookAtDatabase(tableCheck, database.url)),
    /^ok user_events is as events /,
  );
  await database.sql`alter table user_events alter column price type double precision`;
  const result = await lookAtDatabase(tableCheck, database.url);
  assertMatch(line(result), /^problem .*column price: .*, found double precision → alter it \(`pg/);
});

Deno.test("pending migrations are a warning, a newer ledger is a problem", async () => {
  await using database = await testDatabase({ setUp: true });
  const look = async (url = database.url) => line(await lookAtDatabase(ledgerCheck, url));
  assertMatch(await look(), /^ok it is of this version \(migration \d+\)$/);
  const [last] = await database.sql<{ number: number; name: string }[]>`
    delete from pgsluice.migrations
    where number = (select max(number) from pgsluice.migrations)
    returning number, name`;
  assertEquals(
    await look(),
    `warning migrations are pending: ${last!.name} → pgsluice setup; an ` +
      "ingest does it as well",
  );
  await using role = await newRole(database);
  await database.sql.unsafe(`grant usage on schema pgsluice to ${role.name};
    grant select on pgsluice.migrations to ${role.name}`);
  assertMatch(await look(role.url), /^problem .* does not own the ledger: .* → let its owner run/);
  await database.sql`insert into pgsluice.migrations (number, name) values (${999}, 'later')`;
  assertMatch(await look(), /^problem it is of a newer pgsluice: migration 999, .* → use that/);
});

Deno.test("a ledger that somebody has locked is told, and does not hold up the check", async () => {
  await using database = await testDatabase({ setUp: true });
  await database.sql.begin(async (transaction) => {
    await transaction`lock table pgsluice.migrations in access exclusive mode`;
    const result = await lookAtDatabase(ledgerCheck, database.url);
    assertMatch(line(result), /^warning could not be looked at: .*lock timeout .*55P03/);
  });
});

Deno.test("synchronous_commit that is off for role or database is a warning", async () => {
  await using database = await testDatabase();
  await using role = await newRole(database);
  const look = () => lookAtDatabase(synchronousCommitCheck, role.url);
  await database.sql.unsafe(`alter role ${role.name} set synchronous_commit = off`);
  const result = await look();
  assertMatch(
    line(result),
    new RegExp(`^warning it is off for role ${role.name}: .* → alter role`),
  );
  await database.sql.unsafe(result.remedy!);
  assertEquals((await look()).status, "ok");
  const name = targetDatabase(database.target);
  await database.sql.unsafe(`alter database ${name} set synchronous_commit = off`);
  assertMatch(
    line(await look()),
    new RegExp(`^warning .* for database ${name}: .* → alter database`),
  );
});

Deno.test("sessions that are read-only are a problem", async () => {
  await using database = await testDatabase();
  await using role = await newRole(database);
  await database.sql.unsafe(`alter role ${role.name} set default_transaction_read_only = on`);
  const result = await lookAtDatabase(writableCheck, role.url);
  assertMatch(line(result), /^problem sessions here are read-only .* → alter role \S+ reset/);
});

Deno.test("clocks that differ are a warning, with the side and how much", async () => {
  await using database = await testDatabase();
  const look = async (shiftMs: number) =>
    line(
      await lookAtDatabase(clockCheck, database.url, {
        machine: { now: () => Date.now() + shiftMs },
      }),
    );
  assertMatch(await look(0), /^ok the server's clock and this one agree/);
  assertMatch(
    await look(HOUR_MS),
    /^warning .* is 3(600|599)\.\d s behind this machine's: .* → .*NTP/,
  );
  assertMatch(await look(-HOUR_MS), /^warning .* ahead of this machine's: /);
});

Deno.test("too few connections are a warning, hardly any a problem", async () => {
  await using database = await testDatabase();
  await using role = await newRole(database);
  const look = async (limit: number) => {
    await database.sql.unsafe(`alter role ${role.name} connection limit ${limit}`);
    return line(await lookAtDatabase(connectionsCheck, role.url));
  };
  assertMatch(await look(-1), /^ok \d+ of the server's \d+ connections are left/);
  assertMatch(await look(7), /^ok .*; 7 of the 7 of role \S+ connections are left/);
  assertMatch(
    await look(5),
    /^warning 5 of the 5 of role .* → pgsluice ingest --connections 2, or/,
  );
  assertMatch(await look(3), /^problem 3 of the 3 of role .* → end other sessions, or alter role/);
});

Deno.test("a pipeline bound to another source, and a journal of another database, are problems", async () => {
  await withPlace(await testDatabase(), async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await ingestOnce(place);
    const { url } = place.database;
    const checkpointsDirectory = join(place.home, "checkpoints");
    const same = { folder: { path: place.events }, checkpointsDirectory };
    const bound = await lookAtDatabase(pipelineCheck, url, same);
    assertMatch(line(bound), /^ok default is bound to this source and table, and no ingester/);
    assertEquals(line(await lookAtDatabase(journalCheck, url, same)), "ok level with the database");
    const other = await lookAtDatabase(pipelineCheck, url, {
      folder: { path: place.home },
      timeZone: "Europe/Berlin",
    });
    assertMatch(
      line(other),
      /^problem default is bound to the source .*; the time zone UTC, not E/,
    );
    const missing = await lookAtDatabase(journalCheck, url);
    assertMatch(line(missing), /^warning missing: .* → /);
    await using stranger = await testDatabase({ setUp: true });
    await withPlace(stranger, async (second) => {
      await ingestOnce(second);
      const foreign = await lookAtDatabase(journalCheck, stranger.url, same);
      assertMatch(line(foreign), /^problem other: .* → /);
    });
  });
});
