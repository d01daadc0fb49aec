import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "../../src/database/connect.ts";
import { type DatabaseTarget, withDatabase } from "../../src/database/database_target.ts";
import { setUp, setUpSql } from "../../src/database/set_up.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { createTableSql } from "../../src/schema/ddl.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { testDatabase } from "../support/test_database.ts";
import { testServer } from "../support/test_server.ts";

const BUILT_IN = { schema: USER_EVENTS, table: "user_events" };
const MADE_TABLES = [
  "applied migration 0001_ledger",
  "applied migration 0002_repair",
  "applied migration 0003_stages",
  "applied migration 0004_minutes",
  "applied migration 0005_report_times",
  "made table user_events with its indexes",
];

/** A name that no database has yet; the database is dropped at the end. */
async function withNewName(work: (target: DatabaseTarget) => Promise<void>): Promise<void> {
  const server = await testServer();
  const name = `pgsluice test "${crypto.randomUUID().slice(0, 8)}"`;
  try {
    await work(withDatabase(server, name));
  } finally {
    const client = await connect(server, { applicationName: "set up test" });
    await client.sql`drop database if exists ${client.sql(name)} with (force)`;
    await client.close();
  }
}

Deno.test("setting up makes database, ledger and table, then finds them made", async () => {
  await withNewName(async (target) => {
    const { did } = await setUp(target, BUILT_IN);
    assertEquals(did.length, 1 + MADE_TABLES.length);
    assertStringIncludes(did[0]!, 'made database pgsluice test "');
    assertEquals(did.slice(1), MADE_TABLES);
    assertEquals(await setUp(target, BUILT_IN), { did: [] });
    const client = await connect(target, { applicationName: "set up test" });
    const indexes = await client.sql`
      select indexdef as text from pg_indexes where tablename = 'user_events'`;
    assertEquals(indexes.length, 1 + USER_EVENTS.indexes.length);
    assertEquals((await client.sql`show server_encoding`)[0], { server_encoding: "UTF8" });
    await client.close();
  });
});

Deno.test("several that set up at once all succeed, and each thing is made once", async () => {
  await withNewName(async (target) => {
    const results = await Promise.all(Array.from({ length: 5 }, () => setUp(target, BUILT_IN)));
    const did = results.flatMap((result) => result.did).map((line) => line.split('"')[0]);
    assertEquals(did.sort(), [...MADE_TABLES, "made database pgsluice test "].sort());
  });
});

Deno.test("setting up takes a table of another name and schema", async () => {
  await using database = await testDatabase();
  await database.sql`create schema shop`;
  const options = { schema: USER_EVENTS, table: 'shop."Events 2026"' };
  assertEquals(
    (await setUp(database.target, options)).did.at(-1),
    `made table ${options.table} with its indexes`,
  );
  assertEquals(await setUp(database.target, options), { did: [] });
  assertEquals((await database.sql`select count(*)::int as n from shop."Events 2026"`)[0], {
    n: 0,
  });
});

Deno.test("a table of somebody else's is refused by name, and left alone", async () => {
  await using database = await testDatabase();
  await database.sql`create table user_events (id int, price float8)`;
  const error = await assertRejects(() => setUp(database.target, BUILT_IN), PgsluiceError);
  assertEquals(error.code, "table-differs");
  assertStringIncludes(error.message, "column price: expected type numeric(12,2), found double");
  const [row] = await database.sql`
    select count(*)::int as count from pg_attribute
    where attrelid = 'user_events'::regclass and attnum > 0`;
  assertEquals(row, { count: 2 });
});

Deno.test("a schema that is not there is an error with the way on", async () => {
  await using database = await testDatabase();
  const options = { schema: USER_EVENTS, table: "shop.events" };
  const error = await assertRejects(() => setUp(database.target, options), PgsluiceError);
  assertEquals(error.code, "database-schema-missing");
  assertStringIncludes(error.hint, "create schema");
});

Deno.test("a user who may not make the database is told what an owner has to run", async () => {
  const role = `pgsluice_test_${crypto.randomUUID().slice(0, 8)}`;
  const server = await testServer();
  if (server.kind !== "server") throw new TypeError("a test server has a URL");
  const admin = await connect(server, { applicationName: "set up test" });
  await admin.sql.unsafe(`create role ${role} login password 'secret'`);
  try {
    const url = server.url.replace(/\/\/[^@]*@/, `//${role}:secret@`);
    const target = withDatabase({ kind: "server", url }, "no_such_database");
    const error = await assertRejects(() => setUp(target, BUILT_IN), PgsluiceError);
    assertEquals(error.code, "database-missing");
    assertStringIncludes(error.hint, 'create database "no_such_database"');
    assertEquals((error.message + error.hint).includes("secret"), false);
  } finally {
    await admin.sql.unsafe(`drop role ${role}`);
    await admin.close();
  }
});

Deno.test("a user who may not create is told to let an owner set up", async () => {
  await using database = await testDatabase();
  const role = `pgsluice_test_${crypto.randomUUID().slice(0, 8)}`;
  await database.sql.unsafe(`create role ${role} login password 'secret'`);
  try {
    const url = database.url.replace(/\/\/[^@]*@/, `//${role}:secret@`);
    const error = await assertRejects(
      () => setUp({ kind: "server", url }, BUILT_IN),
      PgsluiceError,
    );
    assertEquals(error.code, "database-permission");
    assertStringIncludes(error.hint, "pgsluice setup");
  } finally {
    await database.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
  }
});

Deno.test("the SQL printed makes what setting up makes", async () => {
  await using database = await testDatabase();
  const client = await connect(database.target, { applicationName: "set up test" });
  await client.sql.unsafe(setUpSql(USER_EVENTS, "user_events"));
  await client.close();
  assertEquals(await setUp(database.target, BUILT_IN), { did: [] });
  assertStringIncludes(
    setUpSql(USER_EVENTS, "shop.events"),
    createTableSql(USER_EVENTS, { table: '"shop"."events"' }),
  );
});
