import { assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { connect, type DatabaseClient } from "../../src/database/connect.ts";
import { copyIn } from "../../src/database/copy_in.ts";
import { type DatabaseTarget, withDatabase } from "../../src/database/database_target.ts";
import { faultKind } from "../../src/database/fault.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { testDatabase } from "../support/test_database.ts";
import { testServer } from "../support/test_server.ts";
import { ownCluster } from "./own_cluster.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const APPLICATION = { applicationName: "connect test" };

async function using<T>(
  target: DatabaseTarget,
  work: (client: DatabaseClient) => Promise<T>,
): Promise<T> {
  const client = await connect(target, APPLICATION);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

Deno.test("a connection relies on no setting of the role or the database", async () => {
  await using database = await testDatabase();
  const [{ name }] = await database.sql`select current_database() as name` as [{ name: string }];
  for (
    const setting of ["bytea_output = escape", "datestyle = 'German'", "synchronous_commit = off"]
  ) {
    await database.sql.unsafe(`alter database ${name} set ${setting}`);
  }
  await using(database.target, async ({ sql }) => {
    const [row] = await sql`
      select '\\x00ff'::bytea as bytes, timestamptz '2026-02-01 00:00:00Z' as at,
        current_setting('synchronous_commit') as commit,
        current_setting('application_name') as application`;
    assertEquals(new Uint8Array(row!.bytes), Uint8Array.of(0, 255));
    assertEquals(row!.at, new Date("2026-02-01T00:00:00Z"));
    assertEquals([row!.commit, row!.application], ["on", "connect test"]);
  });
});

Deno.test("a connection takes settings for its session", async () => {
  await using database = await testDatabase();
  const client = await connect(database.target, {
    ...APPLICATION,
    statementTimeoutMs: 1234,
    sessionSettings: { idle_session_timeout: "15s" },
  });
  const [row] = await client.sql`
    select current_setting('statement_timeout') as statement,
      current_setting('idle_session_timeout') as idle`;
  assertEquals(row, { statement: "1234ms", idle: "15s" });
  await client.close();
});

Deno.test("one-dimensional arrays go to the server and come back", async () => {
  await using database = await testDatabase();
  const texts = ["plain", 'a "quoted" \\ one', "a,b", "NULL", "", "{}", null];
  const [row] = await database.sql`
    select ${[1, -2]}::bigint[] as whole, ${texts}::text[] as texts, ${[]}::text[] as nothing,
      ${database.sql.array([true, false])} as flags,
      ${database.sql.array([Uint8Array.of(0, 255)])} as bytes, array[1.5, null]::float8[] as floats,
      pg_blocking_pids(pg_backend_pid()) as blockers`;
  assertEquals({ ...row }, {
    whole: ["1", "-2"], // as single bigints
    texts,
    nothing: [],
    flags: [true, false],
    bytes: [Uint8Array.of(0, 255)],
    floats: [1.5, null],
    blockers: [],
  });
});

/** What ends a connection, given the process id of its backend. */
const LOSSES: readonly {
  title: string;
  lose: (client: DatabaseClient, admin: DatabaseClient["sql"], pid: number) => Promise<unknown>;
}[] = [
  { title: "its backend is terminated", lose: (_, admin, pid) => terminate(admin, pid) },
  { title: "it is destroyed", lose: (client) => Promise.resolve(client.destroy()) },
];

async function terminate(admin: DatabaseClient["sql"], pid: number): Promise<void> {
  await admin`select pg_terminate_backend(${pid})`;
}

/** What is under way when the connection is lost. */
const ACTIVITIES: readonly {
  title: string;
  run: (client: DatabaseClient, onStarted: (pid: number) => Promise<unknown>) => Promise<unknown>;
}[] = [
  {
    title: "in a statement",
    run: async ({ sql }, onStarted) => {
      const pid = await backendOf(sql);
      const statement = sql`select pg_sleep(60)`.execute();
      await Promise.all([statement, onStarted(pid)]);
    },
  },
  {
    title: "in a statement of a transaction",
    run: ({ sql }, onStarted) =>
      sql.begin(async (transaction) => {
        const pid = await backendOf(transaction);
        const statement = transaction`select pg_sleep(60)`.execute();
        await Promise.all([statement, onStarted(pid)]);
      }),
  },
  {
    title: "between two statements of a transaction",
    run: ({ sql }, onStarted) =>
      sql.begin(async (transaction) => {
        await onStarted(await backendOf(transaction));
        for (;;) await transaction`select 1`;
      }),
  },
  {
    title: "in a savepoint",
    run: ({ sql }, onStarted) =>
      sql.begin((transaction) =>
        transaction.savepoint(async (inner) => {
          await onStarted(await backendOf(inner));
          for (;;) await inner`select 1`;
        })
      ),
  },
];

async function backendOf(sql: Pick<DatabaseClient["sql"], "unsafe">): Promise<number> {
  const [row] = await sql.unsafe<{ pid: number }[]>("select pg_backend_pid() as pid");
  return row!.pid;
}

for (const { title, lose } of LOSSES) {
  for (const activity of ACTIVITIES) {
    Deno.test(`what is under way rejects when ${title} ${activity.title}`, async () => {
      await using database = await testDatabase();
      const causes: Error[] = [];
      const client = await connect(database.target, {
        ...APPLICATION,
        onClose: (cause) => causes.push(cause),
      });
      const error = await assertRejects(
        () => activity.run(client, (pid) => lose(client, database.sql, pid)),
        Error,
      );
      assertEquals(faultKind(error), "retry");
      assertEquals(causes.length, 1);
      assertEquals(faultKind(causes[0]), "retry");
      const later = await assertRejects(() => client.sql`select 1`, Error);
      assertEquals(faultKind(later), "retry");
      await assertRejects(() => client.sql.begin((sql) => sql`select 1`), Error);
      await client.close();
      await client.close();
      assertEquals(causes.length, 1);
    });
  }
}

Deno.test("an idle connection that is terminated is noticed, and used no more", async () => {
  await using database = await testDatabase();
  const closed = Promise.withResolvers<Error>();
  const client = await connect(database.target, { ...APPLICATION, onClose: closed.resolve });
  await terminate(database.sql, await backendOf(client.sql));
  assertEquals(faultKind(await closed.promise), "retry");
  await assertRejects(() => client.sql`select 1`, Error);
  await client.close();
});

Deno.test("one lost connection ends all of a client, waiting statements included", async () => {
  await using database = await testDatabase();
  const client = await connect(database.target, { ...APPLICATION, maxConnections: 2 });
  const outcomes = Array.from(
    { length: 5 },
    () => client.sql`select pg_sleep(60)`.then(() => "done", faultKind),
  );
  let pids: number[] = [];
  while (pids.length < 2) {
    const rows = await database.sql<{ pid: number }[]>`
      select pid from pg_stat_activity
      where application_name = 'connect test' and query like 'select pg_sleep%'
        and state = 'active'`;
    pids = rows.map(({ pid }) => pid);
  }
  await terminate(database.sql, pids[0]!);
  assertEquals(await Promise.all(outcomes), Array(5).fill("retry"));
  await client.close();
});

Deno.test("a client destroyed while more connections are being made rejects what waits for them", async () => {
  await using database = await testDatabase();
  for (let turns = 0; turns < 6; turns++) {
    const client = await connect(database.target, { ...APPLICATION, maxConnections: 3 });
    const outcomes = [1, 2, 3].map(() => client.sql`select pg_sleep(60)`.then(() => "", faultKind));
    // From "not yet asked for" to "just opened", whichever turn that is.
    for (let turn = 0; turn < turns; turn++) await new Promise((done) => setTimeout(done, 0));
    client.destroy();
    assertEquals(await Promise.all(outcomes), ["retry", "retry", "retry"]);
    await client.close();
  }
});

Deno.test("closing waits for what is under way, and is silent", async () => {
  await using database = await testDatabase();
  let heard = 0;
  const client = await connect(database.target, { ...APPLICATION, onClose: () => heard++ });
  const statement = client.sql`select 1 as one`.execute();
  await client.close();
  assertEquals([...await statement], [{ one: 1 }]);
  client.destroy();
  assertEquals(heard, 0);
});

Deno.test("a server cut off by the network rejects what is under way", async () => {
  await using database = await testDatabase();
  await using proxy = new TcpProxy(database.url);
  const client = await connect({ kind: "server", url: proxy.through(database.url) }, APPLICATION);
  const statement = client.sql.begin((sql) => sql`select pg_sleep(60)`).then(() => "", faultKind);
  while ((await active(database.sql)) === 0);
  proxy.cut();
  assertEquals(await statement, "retry");
  await client.close();
});

Deno.test("a server that answers no more can be destroyed, and closing is bounded", async () => {
  await using database = await testDatabase();
  await using proxy = new TcpProxy(database.url);
  const client = await connect({ kind: "server", url: proxy.through(database.url) }, APPLICATION);
  proxy.freeze();
  const statement = client.sql`select 1`.then(() => "", faultKind);
  client.destroy();
  assertEquals(await statement, "retry");
  await client.close();
});

async function active(sql: DatabaseClient["sql"]): Promise<number> {
  const rows = await sql`
    select from pg_stat_activity
    where application_name = 'connect test' and query = 'select pg_sleep(60)'`;
  return rows.length;
}

Deno.test("a small COPY over TCP does not wait for delayed acknowledgements", async () => {
  await using database = await testDatabase();
  await using proxy = new TcpProxy(database.url);
  const client = await connect({ kind: "server", url: proxy.through(database.url) }, APPLICATION);
  await client.sql`create table t (x int)`;
  let fastestMs = Infinity;
  for (let i = 0; i < 10; i++) {
    const startMs = performance.now();
    await client.sql.begin((sql) =>
      copyIn(sql, { statement: "copy t from stdin", bytes: Uint8Array.of(0x31, 0x0a) })
    );
    fastestMs = Math.min(fastestMs, performance.now() - startMs);
  }
  assertLess(fastestMs, 35); // each delayed acknowledgement takes 40
  await client.close();
});

Deno.test("the first host that answers is taken", async () => {
  await using database = await testDatabase();
  await using proxy = new TcpProxy(database.url);
  const url = proxy.through(database.url).replace("@", `@127.0.0.1:${await freePort()},`);
  await using({ kind: "server", url }, async ({ sql }) => {
    assertEquals((await sql`select 1 as one`)[0], { one: 1 });
  });
});

async function freePort(): Promise<number> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return await Promise.resolve(port);
}

async function refusal(url: string): Promise<PgsluiceError> {
  return await assertRejects(() => connect({ kind: "server", url }, APPLICATION), PgsluiceError);
}

Deno.test("a server that is not there is a clear error", async () => {
  const error = await refusal(`postgresql://ann:secret@127.0.0.1:${await freePort()}/shop`);
  assertEquals(error.code, "database-unreachable");
  assertStringIncludes(error.message, "connecting to postgresql://ann@127.0.0.1:");
  assertStringIncludes(error.message, "nothing listens there");
  assertEquals(faultKind(error), "retry");
  assertNoSecret(error);
});

Deno.test("a host that is not there is a clear error", async () => {
  const error = await refusal("postgresql://ann:secret@no-such-host.invalid/shop");
  assertEquals(error.code, "database-unreachable");
  assertNoSecret(error);
});

Deno.test("a unix socket that is not there is a clear error", async () => {
  const error = await refusal("postgresql://ann:secret@/shop?host=/no/such/folder");
  assertEquals(error.code, "database-unreachable");
  assertStringIncludes(error.message, "the socket does not exist");
  assertNoSecret(error);
});

Deno.test("a database that is not there is a clear error with the way on", async () => {
  const target = withDatabase(await testServer(), "no_such_database");
  const error = await assertRejects(() => connect(target, APPLICATION), PgsluiceError);
  assertEquals(error.code, "database-missing");
  assertStringIncludes(error.hint, "pgsluice setup");
});

Deno.test("a database of another encoding is refused", async () => {
  await using database = await testDatabase();
  const [row] = await database.sql`
    select current_database() || '_latin' as name,
      current_setting('server_version_num')::int >= 150000 as has_providers`;
  const latin = row!.name as string;
  await database.sql.unsafe(
    `create database ${latin} template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'` +
      (row!.has_providers ? " locale_provider libc" : ""),
  );
  try {
    const target = withDatabase(database.target, latin);
    const error = await assertRejects(() => connect(target, APPLICATION), PgsluiceError);
    assertEquals(error.code, "database-encoding");
    assertStringIncludes(error.message, "LATIN1");
  } finally {
    await database.sql.unsafe(`drop database ${latin} with (force)`);
  }
});

Deno.test("a password is checked, and never repeated", async () => {
  await using own = await ownCluster({ rules: "local all ann scram-sha-256" });
  await using({ kind: "server", url: own.url }, async ({ sql }) => {
    await sql.unsafe("create role ann login password 's:e/c@t'");
  });
  const url = own.url.replace("postgres@", "ann:s%3Ae%2Fc%40t@");
  await using({ kind: "server", url }, async ({ sql }) => {
    assertEquals((await sql`select current_user as name`)[0], { name: "ann" });
  });
  const error = await refusal(own.url.replace("postgres@", "ann:secret@"));
  assertEquals(error.code, "database-login");
  assertStringIncludes(error.message, "28P01");
  assertNoSecret(error);
  assertEquals(faultKind(error), "stop");
});

function assertNoSecret(error: PgsluiceError): void {
  const told = Deno.inspect(error) + error.hint + String(error.stack);
  assertEquals(told.includes("secret"), false);
}
