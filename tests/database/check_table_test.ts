import { assertEquals, assertRejects, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { checkTable, requireTable } from "../../src/database/check_table.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { createTableSql } from "../../src/schema/ddl.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { type TestDatabase, testDatabase } from "../support/test_database.ts";

const NO_KEY =
  "column event_id: expected a primary key or a unique index on it alone (btree, not " +
  "partial, not deferrable), found none";

async function tableDatabase(change: string): Promise<TestDatabase> {
  const database = await testDatabase();
  await database.sql.unsafe(createTableSql(USER_EVENTS, { table: "user_events" }));
  await database.sql.unsafe(change);
  return database;
}

/** What the table's owner did, and what that is called. */
const CHANGES: readonly { change: string; differences: string[] }[] = [
  { change: "", differences: [] },
  { change: "alter table user_events add note text", differences: [] },
  { change: "alter table user_events add source text not null default 'x'", differences: [] },
  { change: "alter table user_events add id bigint generated always as identity", differences: [] },
  {
    change:
      "alter table user_events add total numeric generated always as (price * quantity) stored",
    differences: [],
  },
  { change: "alter table user_events alter user_id drop not null", differences: [] },
  {
    change: "alter table user_events drop constraint user_events_pkey; " +
      "create unique index on user_events (event_id) include (event_type)",
    differences: [],
  },
  {
    change: "alter table user_events drop column category",
    differences: ["column category: expected type text, found no such column"],
  },
  {
    change: "alter table user_events alter user_id type double precision",
    differences: ["column user_id: expected type bigint, found double precision"],
  },
  {
    change: "alter table user_events alter quantity type bigint",
    differences: ["column quantity: expected type integer, found bigint"],
  },
  {
    change: "alter table user_events alter price type numeric(12,3)",
    differences: ["column price: expected type numeric(12,2), found numeric(12,3)"],
  },
  {
    change: "alter table user_events alter price type numeric",
    differences: ["column price: expected type numeric(12,2), found numeric"],
  },
  {
    change: "alter table user_events alter category type varchar(10)",
    differences: ["column category: expected type text, found character varying(10)"],
  },
  {
    change: "drop index user_events_event_timestamp_idx; " +
      "alter table user_events alter event_timestamp type timestamp",
    differences: [
      "column event_timestamp: expected type timestamp with time zone, found timestamp without " +
      "time zone",
    ],
  },
  {
    change: "alter table user_events alter category set not null",
    differences: ["column category: expected one that may be null, found not null"],
  },
  {
    change: 'alter table user_events add "Shop Id" int not null',
    differences: [
      'column "Shop Id": expected a default or no such column, found not null without a default',
    ],
  },
  {
    change: "alter table user_events alter ingested_at drop default",
    differences: ["column ingested_at: expected default now(), found no default"],
  },
  {
    change: "alter table user_events drop column event_hour; alter table user_events add " +
      "event_hour smallint not null generated always as (1) stored",
    differences: ["column event_hour: expected one that takes values, found a generated one"],
  },
  {
    change: "alter table user_events drop constraint user_events_pkey",
    differences: [NO_KEY],
  },
  {
    change: "alter table user_events drop constraint user_events_pkey; " +
      "create index on user_events (event_id)",
    differences: [NO_KEY],
  },
  {
    change: "alter table user_events drop constraint user_events_pkey, add primary key " +
      "(event_id, user_id)",
    differences: [NO_KEY],
  },
  {
    change: "alter table user_events drop constraint user_events_pkey, add unique (user_id)",
    differences: [NO_KEY],
  },
  {
    change: "alter table user_events drop constraint user_events_pkey; " +
      "create unique index on user_events (event_id) where price > 0",
    differences: [NO_KEY],
  },
  {
    change: "alter table user_events drop constraint user_events_pkey; " +
      "create unique index on user_events ((event_id::text))",
    differences: [NO_KEY],
  },
  {
    change:
      "alter table user_events drop constraint user_events_pkey, add primary key (event_id) " +
      "deferrable",
    differences: [NO_KEY],
  },
  {
    change: "alter table user_events set unlogged",
    differences: [
      "expected a table that survives a crash of the server, found an unlogged or temporary one",
    ],
  },
  {
    change: "alter table user_events rename to base; create view user_events as select * from base",
    differences: ["expected a table, found a view"],
  },
  { change: "drop table user_events", differences: ["the table does not exist"] },
  {
    change: "alter table user_events drop column file_id, alter user_id type int, " +
      "drop constraint user_events_pkey",
    differences: [
      "column user_id: expected type bigint, found integer",
      "column file_id: expected type bigint, found no such column",
      NO_KEY,
    ],
  },
];

Deno.test("a table is compared with the schema, and each difference is named", async (test) => {
  await using database = await tableDatabase("");
  for (const { change, differences } of CHANGES) {
    await test.step(`after: ${change || "nothing"}`, async () => {
      const rollback = new Error("only to look");
      const checked = database.sql.begin(async (sql) => {
        await sql.unsafe(change);
        assertEquals(await checkTable(sql, USER_EVENTS, "user_events"), differences);
        throw rollback;
      });
      assertStrictEquals(await assertRejects(() => checked, Error), rollback);
    });
  }
});

Deno.test("a table with row-level security is refused to those it binds", async () => {
  const role = `pgsluice_test_${crypto.randomUUID().slice(0, 8)}`;
  await using database = await tableDatabase(
    `alter table user_events enable row level security; create role ${role}`,
  );
  assertEquals(await checkTable(database.sql, USER_EVENTS, "user_events"), []);
  await database.sql.begin(async (sql) => {
    await sql.unsafe(`grant all on user_events to ${role}; set local role ${role}`);
    assertEquals(await checkTable(sql, USER_EVENTS, "user_events"), [
      "expected no row-level security for this user, found it active: COPY does not work then",
    ]);
  });
  await database.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
});

Deno.test("a partitioned table will do if its key is unique over all partitions", async () => {
  await using database = await testDatabase();
  const sql = createTableSql(USER_EVENTS, { table: "user_events" });
  await database.sql.unsafe(sql.replace("\n);\n", "\n) partition by hash (event_id);\n"));
  assertEquals(await checkTable(database.sql, USER_EVENTS, "user_events"), []);
});

Deno.test("a table is found by its schema and its odd name", async () => {
  await using database = await testDatabase();
  await database.sql.unsafe(
    `create schema shop; ${createTableSql(USER_EVENTS, { table: 'shop."Odd Name"' })}`,
  );
  assertEquals(await checkTable(database.sql, USER_EVENTS, 'shop."Odd Name"'), []);
  assertEquals(await checkTable(database.sql, USER_EVENTS, "shop.odd_name"), [
    "the table does not exist",
  ]);
});

Deno.test("a required table that differs is one error with every difference", async () => {
  await using database = await tableDatabase(
    "alter table user_events drop column category, alter user_id type int",
  );
  const error = await assertRejects(
    () => requireTable(database.sql, USER_EVENTS, "user_events"),
    PgsluiceError,
  );
  assertEquals(error.code, "table-differs");
  assertStringIncludes(error.message, "table user_events");
  assertStringIncludes(error.message, "column user_id: expected type bigint, found integer");
  assertStringIncludes(error.message, "column category: expected type text, found no such column");
  assertStringIncludes(error.hint, "--table");
});

Deno.test("a required table that is missing is an error of its own", async () => {
  await using database = await testDatabase();
  const error = await assertRejects(
    () => requireTable(database.sql, USER_EVENTS, "user_events"),
    PgsluiceError,
  );
  assertEquals([error.code, error.hint], ["table-missing", "`pgsluice setup` makes it"]);
});
