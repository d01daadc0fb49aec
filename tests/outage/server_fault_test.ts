import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { connect, type Sql } from "../../src/database/connect.ts";
import { sqlState } from "../../src/database/fault.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import {
  csvText,
  eventLine,
  eventLines,
  type Heard,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { withOwnPlace } from "./own_place.ts";
import { SteadyLoad } from "./steady_load.ts";

async function inPlace(run: (place: IngestPlace) => Promise<void>): Promise<void> {
  await withPlace(await testDatabase({ setUp: true }), run);
}

/** The SQLSTATE of the first outage that is told from now on, or was. */
async function firstState(heard: Heard): Promise<string | undefined> {
  await heard.until(() => heard.outages.length > 0);
  return sqlState(heard.outages[0]!.error);
}

/** A session of the test's own, for locks and settings. */
async function inSession(place: IngestPlace, work: (sql: Sql) => Promise<void>): Promise<void> {
  const client = await connect(place.database.target, { applicationName: "test session" });
  try {
    await work(client.sql);
  } finally {
    client.destroy();
    await client.close();
  }
}

/** Resolves when a session that carries batches waits for a lock. */
async function waitsForLock(sql: Sql): Promise<void> {
  for (;;) {
    const rows = await sql`
      select 1 from pg_stat_activity
      where application_name like 'pgsluice:%' and datname = current_database()
        and wait_event_type = 'Lock'`;
    if (rows.length > 0) return;
  }
}

async function setOfDatabase({ sql }: { sql: Sql }, setting: string): Promise<void> {
  const [row] = await sql<{ name: string }[]>`select quote_ident(current_database()) as name`;
  await sql.unsafe(`alter database ${row!.name} ${setting}`);
}

Deno.test("a statement that the server's statement_timeout cancels is tried again", async () => {
  await inPlace(async (place) => {
    const { database } = place;
    await ingestOnce(place);
    await ingestOnce(place);
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await inSession(place, async (sql) => {
      await sql`begin`;
      await sql`lock table user_events in exclusive mode`;
      await setOfDatabase(database, "set statement_timeout = '300ms'");
      const { heard, stop } = ingestWatching(place);
      assertEquals(await firstState(heard), "57014");
      await sql`rollback`;
      await heard.until(() => heard.loaded === 10);
      await heard.until(() => heard.recoveries.length === 1);
      await stop();
    });
    await verifyExact(place);
  });
});

Deno.test("a batch that waits too long for a lock is tried again", async () => {
  await inPlace(async (place) => {
    await ingestOnce(place);
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await inSession(place, async (sql) => {
      await sql`begin`;
      await sql`lock table user_events in exclusive mode`;
      await setOfDatabase(place.database, "set lock_timeout = '200ms'");
      const { heard, stop } = ingestWatching(place);
      assertEquals(await firstState(heard), "55P03");
      await sql`rollback`;
      await heard.until(() => heard.loaded === 10);
      await stop();
    });
    await verifyExact(place);
  });
});

Deno.test("a first start that cannot count the table's rows is tried again", async () => {
  await inPlace(async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await inSession(place, async (sql) => {
      await sql`begin`;
      await sql`lock table user_events in row exclusive mode`;
      const { heard, stop } = ingestWatching(place, { noWait: false });
      assertEquals(await firstState(heard), "55P03");
      await sql`rollback`;
      await heard.until(() => heard.loaded === 10);
      await stop();
    });
    await verifyExact(place);
  });
});

Deno.test("a batch that is the victim of a deadlock is rolled back and loaded again", async () => {
  await inPlace(async (place) => {
    // so that the server takes the batch for the victim: it looks first
    await setOfDatabase(place.database, "set deadlock_timeout = '3s'");
    await ingestOnce(place);
    await writeEvents(place, "a.csv", csvText([eventLine(0), eventLine(1)]));
    const insert = (key: number) =>
      `insert into user_events (event_id, event_timestamp, event_type, user_id, product_id, price,
          quantity, event_date, event_hour, file_id, line_number)
        values ('00000000-0000-7000-8000-${String(key).padStart(12, "0")}', now(), 'view', 1, 1, 1,
          1, now(), 1, 0, 0)`;
    await inSession(place, async (sql) => {
      await sql.unsafe("set deadlock_timeout = '1h'");
      await sql`begin`;
      await sql.unsafe(insert(1));
      const { heard, stop } = ingestWatching(place);
      // it has the first key and waits for the second; this one has the second and wants the first
      await waitsForLock(place.database.sql);
      const wanted = sql.unsafe(insert(0));
      wanted.catch(() => {});
      assertEquals(await firstState(heard), "40P01");
      await wanted;
      await sql`rollback`;
      await heard.until(() => heard.loaded === 2);
      await stop();
    });
    await verifyExact(place);
  });
});

Deno.test("too many connections, at the start and after an outage, are waited for", async () => {
  await withOwnPlace(async (place) => {
    const { sql } = place.database;
    await sql`create role loader login`;
    await sql`grant create on database shop to loader`;
    await sql`grant all on schema public to loader`;
    const url = place.database.url.replace("postgres@", "loader@");
    const target = { kind: "server" as const, url };
    const load = new SteadyLoad(place);
    await load.add(2);
    // enough for the lock, but not for the rest
    await sql`alter role loader connection limit 1`;
    const error = await assertRejects(() => ingestOnce(place, { target }), PgsluiceError);
    assertEquals(error.code, "database-too-many-connections");
    const ingester = load.ingest({ target });
    const { heard } = ingester;
    assertEquals(await firstState(heard), "53300");
    await sql`alter role loader connection limit -1`;
    await heard.until(() => heard.recoveries.length === 1);
    await sql`alter role loader connection limit 2`;
    await load.add(2);
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity where usename = 'loader'`;
    await heard.until(() => heard.outages.length === 2);
    await inFailedLogins(place);
    await sql`alter role loader connection limit -1`;
    await load.finish(ingester);
  });
});

/** Resolves when the server has refused somebody for the number of connections. */
async function inFailedLogins(place: { server: { cluster: { home: string } } }): Promise<void> {
  const log = join(place.server.cluster.home, "server.log");
  const refused = "too many connections for role";
  const before = (await Deno.readTextFile(log)).split(refused).length;
  while ((await Deno.readTextFile(log)).split(refused).length === before) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether this machine lets the tests mount a small file system. */
async function mayMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const folder = await Deno.makeTempDir();
  const isDone = await run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]);
  if (isDone) await run("umount", [folder]);
  await Deno.remove(folder);
  return isDone;
}

async function run(program: string, args: string[]): Promise<boolean> {
  const output = await new Deno.Command(program, { args }).output().catch(() => null);
  return output?.success === true;
}

Deno.test({
  name: "a full disk of the server is waited for until there is room (needs root and mount)",
  ignore: !await mayMount(),
  fn: async () => {
    await withOwnPlace(async (place) => {
      const { sql } = place.database;
      const disk = await Deno.makeTempDir({ prefix: "pgsluice-test-disk-" });
      assert(await run("mount", ["-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", disk]));
      try {
        const { account } = place.server.cluster;
        if (account !== null) await Deno.chown(disk, account.uid, account.gid);
        await sql.unsafe(`create tablespace small location '${disk}'`);
        await sql`alter database shop set default_tablespace = small`;
        await place.reconnect();
        const load = new SteadyLoad(place);
        await load.add(40);
        const ingester = load.ingest();
        const { heard } = ingester;
        assertEquals(await firstState(heard), "53100");
        const told = heard.outages[0]!.error;
        assert(told instanceof PgsluiceError);
        assertStringIncludes(told.hint, "make room");
        assert(heard.loaded < load.rows);
        assert(await run("mount", ["-o", "remount,size=64m", disk]));
        await load.finish(ingester);
      } finally {
        await place.server.stop("immediate");
        await run("umount", [disk]);
        await Deno.remove(disk);
      }
    });
  },
});

const STOPS: readonly { what: string; sql: string; state: string; code: string }[] = [
  {
    what: "the right to write to the table was taken away",
    sql: "revoke insert on user_events from loader",
    state: "42501",
    code: "database-permission",
  },
  {
    what: "the table was dropped",
    sql: "drop table user_events",
    state: "42P01",
    code: "database-table-missing",
  },
];

for (const { what, sql: change, state, code } of STOPS) {
  Deno.test(`a watching ingest stops with a hint when ${what}`, async () => {
    await withOwnPlace(async (place) => {
      const { sql } = place.database;
      await ingestOnce(place);
      await sql`create role loader login`;
      await sql`grant usage on schema pgsluice, public to loader`;
      await sql`grant all on all tables in schema pgsluice, public to loader`;
      const url = place.database.url.replace("postgres@", "loader@");
      const { heard, ended } = ingestWatching(place, { target: { kind: "server", url } });
      await heard.until(() => heard.starts === 1);
      await sql.unsafe(change);
      await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
      const error = await assertRejects(() => ended, PgsluiceError);
      assertEquals([error.code, sqlState(error)], [code, state]);
      assert(error.hint.length > 0);
      assertEquals(heard.outages, []);
    });
  });
}
