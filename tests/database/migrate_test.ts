import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "../../src/database/connect.ts";
import { migrate, type Migration, MIGRATIONS } from "../../src/database/migrate.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { testDatabase } from "../support/test_database.ts";

const NAMES = MIGRATIONS.map(({ name }) => name);

Deno.test("migrations are numbered without gaps, in the order of their files", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(new URL("../../sql/migrations", import.meta.url))) {
    files.push(name.replace(/\.sql$/, ""));
  }
  assertEquals(NAMES, files.sort());
  assertEquals(MIGRATIONS.map(({ number }) => number), MIGRATIONS.map((_, i) => i + 1));
  assertEquals(
    MIGRATIONS.every(({ number, name }) => name.startsWith(`${number}`.padStart(4, "0"))),
    true,
  );
});

Deno.test("migrating makes the ledger once, and says what it applied", async () => {
  await using database = await testDatabase();
  assertEquals(await migrate(database.sql), NAMES);
  assertEquals(await migrate(database.sql), []);
  const recorded = await database.sql`select name from pgsluice.migrations order by number`;
  assertEquals(recorded.map(({ name }) => name), NAMES);
  assertEquals((await database.sql`select count(*)::int as count from pgsluice.files`)[0], {
    count: 0,
  });
});

Deno.test("of several that migrate at once one applies each migration", async () => {
  await using database = await testDatabase();
  const clients = await Promise.all(
    Array.from({ length: 6 }, () => connect(database.target, { applicationName: "migrate test" })),
  );
  const applied = await Promise.all(clients.map(({ sql }) => migrate(sql)));
  // one may apply the first, another the next
  assertEquals(applied.flat().sort(), NAMES);
  await Promise.all(clients.map((client) => client.close()));
});

/** One more migration, which fails as long as table `obstacle` is there. */
const NEXT: Migration = {
  number: MIGRATIONS.length + 1,
  name: "next",
  text: "create table pgsluice.next (x int);\ncreate table public.obstacle (x int);\n",
};

Deno.test("a migration that fails leaves nothing of itself, and is applied later", async () => {
  await using database = await testDatabase();
  const migrations = [...MIGRATIONS, NEXT];
  await database.sql`create table public.obstacle (y int)`;
  await assertRejects(() => migrate(database.sql, { migrations }), Error, "already exists");
  const [state] = await database.sql`
    select to_regclass('pgsluice.next') as next, max(number) as number
    from pgsluice.migrations`;
  assertEquals({ ...state }, { next: null, number: MIGRATIONS.length });
  await database.sql`drop table public.obstacle`;
  assertEquals(await migrate(database.sql, { migrations }), ["next"]);
});

Deno.test("a ledger of a newer pgsluice is refused, and left as it is", async () => {
  await using database = await testDatabase();
  await migrate(database.sql, { migrations: [...MIGRATIONS, NEXT] });
  const error = await assertRejects(() => migrate(database.sql), PgsluiceError);
  assertEquals(error.code, "ledger-newer");
  assertStringIncludes(error.message, `migration ${MIGRATIONS.length + 1}`);
  assertStringIncludes(error.hint, "newer one");
});

Deno.test("where all is applied, a user without the right to create may migrate", async () => {
  await using database = await testDatabase();
  await migrate(database.sql);
  const role = `pgsluice_test_${crypto.randomUUID().slice(0, 8)}`;
  await database.sql.unsafe(`create role ${role}`);
  try {
    await database.sql.unsafe(`
      grant usage on schema pgsluice to ${role};
      grant select on all tables in schema pgsluice to ${role};`);
    const client = await connect(database.target, { applicationName: "migrate test" });
    await client.sql.unsafe(`set role ${role}`);
    assertEquals(await migrate(client.sql), []);
    await client.close();
  } finally {
    await database.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
  }
});
