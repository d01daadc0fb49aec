import { assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { connect, type DatabaseClient } from "../../src/database/connect.ts";
import { copyIn } from "../../src/database/copy_in.ts";
import { faultKind, sqlState } from "../../src/database/fault.ts";
import { type TestDatabase, testDatabase } from "../support/test_database.ts";
import { binaryCopy, type BinaryRow } from "./binary_copy.ts";

const COPY = "copy t (id, name) from stdin (format binary)";
/** How the bytes get to the server. */
const WAYS = [
  { way: "by way of postgres.js", sendOf: (_: DatabaseClient) => ({}) },
  { way: "straight to the socket", sendOf: ({ send }: DatabaseClient) => ({ send }) },
] as const;
/** Of postgres.js waiting for ever; a slow machine is quicker than that. */
const STUCK_MS = 20_000;

async function tableDatabase(): Promise<TestDatabase> {
  const database = await testDatabase();
  await database.sql`create table t (id bigint primary key, name text)`;
  return database;
}

function* rows(from: number, count: number): Generator<BinaryRow> {
  for (let i = 0; i < count; i++) yield { id: BigInt(from + i), name: `row ${from + i}` };
}

/** A long COPY: a few MB, many times what sockets buffer. */
function longCopy(): Uint8Array {
  const name = "x".repeat(1000);
  return binaryCopy(Array.from({ length: 8_000 }, (_, i) => ({ id: BigInt(i), name })));
}

async function countRows(database: TestDatabase): Promise<number> {
  const [row] = await database.sql`select count(*)::int as count from t`;
  return row!.count;
}

for (const { way, sendOf } of WAYS) {
  Deno.test(`a COPY delivers all bytes, however many, ${way}`, async () => {
    await using database = await tableDatabase();
    const client = await connect(database.target, { applicationName: "copy test" });
    for (const [from, count] of [[0, 0], [0, 1], [10, 20_000]] as const) {
      await client.sql.begin((sql) =>
        copyIn(sql, {
          statement: COPY,
          bytes: binaryCopy(rows(from, count)),
          ...sendOf(client),
        })
      );
    }
    await client.close();
    const [row] = await database.sql`
      select count(*)::int as count, sum(id)::int as sum, max(name) filter (where id = 20009) as last
      from t`;
    assertEquals({ ...row }, { count: 20_001, sum: 200_190_000, last: "row 20009" });
  });
}

Deno.test("a COPY and statements after it commit together", async () => {
  await using database = await tableDatabase();
  await database.sql.begin(async (sql) => {
    await copyIn(sql, { statement: COPY, bytes: binaryCopy(rows(0, 3)) });
    await sql`insert into t values (100, 'after')`;
    await copyIn(sql, { statement: COPY, bytes: binaryCopy(rows(10, 3)) });
  });
  assertEquals(await countRows(database), 7);
});

const REFUSALS: readonly {
  title: string;
  prepare?: string;
  bytes: () => Uint8Array;
  state: string;
  where?: string;
}[] = [
  {
    title: "a key that is there",
    prepare: "insert into t values (1, 'there')",
    bytes: () => binaryCopy(rows(0, 3)),
    state: "23505",
    where: "COPY t, line 2",
  },
  {
    title: "a key twice in a long COPY, at its end",
    bytes: () => binaryCopy([...rows(0, 20_000), { id: 5n, name: "again" }]),
    state: "23505",
  },
  {
    title: "bytes that are no binary COPY",
    bytes: () => new TextEncoder().encode("1\tone\n2\ttwo\n"),
    state: "22P04",
  },
  {
    title: "text that is not UTF-8",
    bytes: () => {
      const bytes = binaryCopy([{ id: 1n, name: "abc" }]);
      bytes[bytes.length - 3] = 0xff;
      return bytes;
    },
    state: "22021",
  },
  {
    title: "a number of the wrong size",
    prepare: "alter table t alter id type int",
    bytes: () => binaryCopy(rows(0, 1)),
    state: "22P03",
  },
  {
    title: "a check of the table's owner",
    prepare: "alter table t add check (id < 2)",
    bytes: () => binaryCopy(rows(0, 3)),
    state: "23514",
  },
  {
    title: "an early row of a long COPY, while bytes are still being sent",
    prepare: "alter table t add check (id > 0)",
    bytes: longCopy,
    state: "23514",
  },
  {
    title: "a table that is not there",
    prepare: "alter table t rename to other",
    bytes: () => binaryCopy(rows(0, 1)),
    state: "42P01",
  },
];

for (const { way, sendOf } of WAYS) {
  for (const { title, prepare, bytes, state, where } of REFUSALS) {
    Deno.test(`a refused COPY rejects, and the connection goes on: ${title}, ${way}`, async () => {
      await using database = await tableDatabase();
      if (prepare !== undefined) await database.sql.unsafe(prepare);
      const client = await connect(database.target, { applicationName: "copy test" });
      const startMs = performance.now();
      const error = await assertRejects(
        () =>
          client.sql.begin((sql) =>
            copyIn(sql, { statement: COPY, bytes: bytes(), ...sendOf(client) })
          ),
        Error,
      );
      assertLess(performance.now() - startMs, STUCK_MS);
      assertEquals(sqlState(error), state);
      if (where !== undefined) assertStringIncludes((error as { where?: string }).where!, where);
      // On the same connection, of which nothing of the refused COPY is left.
      await client.sql`create table spare (id bigint, name text)`;
      const more = binaryCopy([{ id: 1n, name: "later" }]);
      await client.sql.begin((sql) =>
        copyIn(sql, { statement: COPY.replace(" t ", " spare "), bytes: more, ...sendOf(client) })
      );
      assertEquals([...await client.sql`select * from spare`], [{ id: "1", name: "later" }]);
      await client.close();
    });
  }
}

Deno.test("a refused COPY can be rolled back to a savepoint, and the rest commits", async () => {
  await using database = await tableDatabase();
  await database.sql.begin(async (sql) => {
    await copyIn(sql, { statement: COPY, bytes: binaryCopy(rows(0, 2)) });
    for (let attempt = 0; attempt < 5; attempt++) {
      const refused = sql.savepoint((inner) =>
        copyIn(inner, { statement: COPY, bytes: binaryCopy(rows(1, 2)) })
      );
      assertEquals(sqlState(await assertRejects(() => refused, Error)), "23505");
    }
    await copyIn(sql, { statement: COPY, bytes: binaryCopy(rows(2, 2)) });
  });
  assertEquals(await countRows(database), 4);
});

Deno.test("a constraint checked at commit rejects the transaction, not the COPY", async () => {
  await using database = await tableDatabase();
  await database.sql`alter table t add unique (name) deferrable initially deferred`;
  const twice = binaryCopy([{ id: 1n, name: "a" }, { id: 2n, name: "a" }]);
  const error = await assertRejects(
    () => database.sql.begin((sql) => copyIn(sql, { statement: COPY, bytes: twice })),
    Error,
  );
  assertEquals(sqlState(error), "23505");
  assertEquals(await countRows(database), 0);
});

for (const { way, sendOf } of WAYS) {
  Deno.test(`a COPY rejects when its backend is terminated in the middle of it, ${way}`, async () => {
    await using database = await tableDatabase();
    const client = await connect(database.target, { applicationName: "copy test" });
    const copying = client.sql.begin(async (sql) => {
      const [row] = await sql`select pg_backend_pid() as pid`;
      const held = Promise.withResolvers<void>();
      const terminated = terminateWhenBlocked(database, { pid: row!.pid, onHeld: held.resolve });
      await held.promise;
      await Promise.all([
        copyIn(sql, { statement: COPY, bytes: longCopy(), ...sendOf(client) }),
        terminated,
      ]);
    });
    const error = await assertRejects(() => copying, Error);
    assertEquals(faultKind(error, { inCopy: true }), "retry");
    await client.close();
    assertEquals(await countRows(database), 0);
  });
}

/** Holds the key of the first row: the COPY waits for it, and its socket fills up. */
async function terminateWhenBlocked(
  database: TestDatabase,
  { pid, onHeld }: { pid: number; onHeld: () => void },
): Promise<void> {
  await database.sql.begin(async (sql) => {
    await sql`insert into t values (0, 'holder')`;
    onHeld();
    for (;;) {
      const [row] = await database.sql`
        select wait_event_type = 'Lock' as waits from pg_stat_activity where pid = ${pid}`;
      if (row?.waits) break;
    }
    await sql`select pg_terminate_backend(${pid})`;
    await sql`delete from t`;
  });
}

for (const { way, sendOf } of WAYS) {
  Deno.test(`a COPY that nobody reads rejects when its client is destroyed, ${way}`, async () => {
    await using database = await tableDatabase();
    const client = await connect(database.target, { applicationName: "copy test" });
    const error = await assertRejects(
      () =>
        database.sql.begin(async (holder) => {
          await holder`insert into t values (0, 'holder')`;
          await client.sql.begin(async (sql) => {
            const [row] = await sql`select pg_backend_pid() as pid`;
            const copying = copyIn(sql, { statement: COPY, bytes: longCopy(), ...sendOf(client) });
            copying.catch(() => {}); // awaited below
            for (let waits = false; !waits;) {
              const [seen] = await database.sql`
              select wait_event_type = 'Lock' as waits from pg_stat_activity
              where pid = ${row!.pid}`;
              waits = seen?.waits === true;
            }
            client.destroy();
            await copying;
          });
        }),
      Error,
    );
    assertEquals(faultKind(error), "retry");
    await client.close();
  });
}

for (const { way, sendOf } of WAYS) {
  Deno.test(`a COPY given up by its own transaction leaves the connection usable, ${way}`, async () => {
    await using database = await tableDatabase();
    const client = await connect(database.target, { applicationName: "copy test" });
    const error = await assertRejects(
      () =>
        client.sql.begin(async (sql) => {
          await copyIn(sql, { statement: COPY, bytes: binaryCopy(rows(0, 10)), ...sendOf(client) });
          throw new RangeError("a fault of the caller's");
        }),
      Error,
    );
    assertEquals(error instanceof RangeError, true);
    await client.sql.begin((sql) =>
      copyIn(sql, { statement: COPY, bytes: binaryCopy(rows(0, 10)), ...sendOf(client) })
    );
    await client.close();
    assertEquals(await countRows(database), 10);
  });
}
