import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { connect, type DatabaseClient } from "../../src/database/connect.ts";
import { copyOut, type CopyOutOptions } from "../../src/database/copy_out.ts";
import { faultKind, sqlState } from "../../src/database/fault.ts";
import { Random } from "../../src/generate/random.ts";
import { type TestDatabase, testDatabase } from "../support/test_database.ts";
import { until } from "../support/until.ts";
import { ownCluster } from "./own_cluster.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import { hasOpenssl } from "./test_certificates.ts";
import { tlsServer } from "./tls_server.ts";

/** Hundreds of times what a socket, a stream and a piece hold. */
const LONG_ROWS = 200_000;
const LONG = `copy (select i, repeat('x', 200) from generate_series(1, ${LONG_ROWS}) i) to stdout`;
/** What may be read ahead of a reader that waits: a stream's buffer, and what comes at a time. */
const AHEAD_BYTES = 1024 * 1024;

interface Copied {
  readonly rowCount: number;
  readonly text: string;
}

async function copyAll(
  client: DatabaseClient,
  statement: string,
  change: Partial<CopyOutOptions> = {},
): Promise<Copied> {
  const rows: Uint8Array[] = [];
  const rowCount = await client.sql.begin((sql) =>
    copyOut(sql, {
      client,
      statement,
      onRow: (bytes, at, end) => rows.push(bytes.slice(at, end)),
      untilRoom: () => null,
      signal: new AbortController().signal,
      ...change,
    })
  );
  assertEquals(rows.length, change.onRow === undefined ? rowCount : 0);
  return { rowCount, text: Buffer.concat(rows).toString() };
}

/** A test with a client of one connection. */
function copyTest(
  name: string,
  run: (client: DatabaseClient, database: TestDatabase) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await using database = await testDatabase();
    const client = await connect(database.target, { applicationName: "copy test" });
    try {
      await run(client, database);
    } finally {
      await client.close();
    }
  });
}

/** As text, each a line. */
function numbers(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join("");
}

copyTest("a COPY to stdout gives all rows in order, and how many", async (client) => {
  for (const count of [0, 1, 3, 50_000]) {
    const statement = `copy (select generate_series(1, ${count})) to stdout`;
    assertEquals(await copyAll(client, statement), { rowCount: count, text: numbers(1, count) });
  }
});

copyTest("rows of any size come whole, however they lie in what is read", async (client) => {
  // from nothing to many times what is read at a time
  const sizes = [0, 1, 5, 64, 1_000, 65_530, 65_531, 65_536, 200_000, 3_000_000, 2, 70_000, 1];
  const statement = `copy (
    select repeat(chr(97 + number::int % 26), size)
    from unnest(array[${sizes}]) with ordinality as list (size, number)) to stdout`;
  const expected = sizes
    .map((size, index) => String.fromCharCode(97 + (index + 1) % 26).repeat(size) + "\n")
    .join("");
  const { rowCount, text } = await copyAll(client, statement);
  assertEquals(rowCount, sizes.length);
  assertEquals(text === expected, true);
});

copyTest("statements before and after a COPY go on as ever, on its connection", async (client) => {
  await client.sql.begin(async (sql) => {
    const options = {
      client,
      onRow: () => {},
      untilRoom: () => null,
      signal: new AbortController().signal,
    };
    await sql`create temporary table t as select generate_series(1, 1000) as i`;
    for (let round = 0; round < 3; round++) {
      assertEquals(await copyOut(sql, { ...options, statement: "copy t to stdout" }), 1000);
      const [row] = await sql`select count(*)::int as count, repeat('y', 100000) as long from t`;
      assertEquals([row!.count, row!.long.length], [1000, 100_000]);
    }
  });
  assertEquals((await client.sql`select 1 as one`)[0]!.one, 1);
});

/** Waits for a turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Reads all with a reader that makes the server wait now and then. */
async function copyHesitating(client: DatabaseClient): Promise<void> {
  const random = new Random(1, 0);
  const count = 500_000;
  let next = 1;
  let waits = 0;
  const { rowCount } = await copyAll(
    client,
    `copy (select i, repeat('x', i % 100) from generate_series(1, ${count}) i) to stdout`,
    {
      onRow(bytes, at, end) {
        const line = `${next}\t${"x".repeat(next % 100)}\n`;
        next++;
        // a string each would take its time
        for (let index = 0; index < line.length; index++) {
          if (bytes[at + index] !== line.charCodeAt(index) || end - at !== line.length) {
            throw new Error(`row ${next - 1} is ${Buffer.from(bytes.subarray(at, end))}`);
          }
        }
      },
      untilRoom() {
        if (random.below(10) >= 6) return null;
        waits++;
        return (async () => {
          for (let turns = random.below(4); turns >= 0; turns--) await turn();
        })();
      },
    },
  );
  assertEquals([rowCount, next - 1], [count, count]);
  assertLess(100, waits);
}

copyTest("rows keep their order, however often the reader waits", async (client) => {
  await copyHesitating(client);
});

copyTest("over TCP they do so, too", async (_, database) => {
  await using proxy = new TcpProxy(database.url);
  const client = await connect(
    { kind: "server", url: proxy.through(database.url) },
    { applicationName: "copy test" },
  );
  await copyHesitating(client);
  await client.close();
});

Deno.test({
  name: "over TLS they do so, too",
  ignore: !await hasOpenssl(),
  fn: async () => {
    await using server = await tlsServer();
    const client = await connect({
      kind: "server",
      url: `postgresql://eve@${server.address}:5432/postgres?sslmode=require`,
    }, { applicationName: "copy test" });
    await copyHesitating(client);
    await client.close();
  },
});

/** Resolves when the session's backend waits for its reader. */
async function untilServerWaits({ sql }: TestDatabase, pid: number): Promise<void> {
  await until("the server waits", async () => {
    const [row] = await sql`
      select wait_event = 'ClientWrite' as waits from pg_stat_activity where pid = ${pid}`;
    return row?.waits === true;
  });
}

async function pidOf({ sql }: DatabaseClient): Promise<number> {
  return (await sql`select pg_backend_pid() as pid`)[0]!.pid;
}

async function untilGone({ sql }: TestDatabase, pid: number): Promise<void> {
  await until(
    "the session ends",
    async () => (await sql`select from pg_stat_activity where pid = ${pid}`).length === 0,
  );
}

/** A reader that takes the first rows and then nothing more until it is told. */
class StalledReader {
  rowCount = 0;
  sizeBytes = 0;
  readonly #room = Promise.withResolvers<void>();
  readonly #stalled = Promise.withResolvers<void>();

  readonly onRow = (_: Uint8Array, at: number, end: number): void => {
    this.rowCount++;
    this.sizeBytes += end - at;
  };
  readonly untilRoom = (): Promise<void> | null => {
    if (this.rowCount === 0) return null;
    this.#stalled.resolve();
    return this.#room.promise;
  };

  get stalled(): Promise<void> {
    return this.#stalled.promise;
  }

  goOn(): void {
    this.#room.resolve();
  }

  fail(error: Error): void {
    this.#room.reject(error);
  }
}

copyTest(
  "a reader that waits makes the server wait, and memory does not grow",
  async (client, database) => {
    const reader = new StalledReader();
    const pid = await pidOf(client);
    const copying = copyAll(client, LONG, reader);
    await reader.stalled;
    await untilServerWaits(database, pid);
    assertLess(reader.sizeBytes, AHEAD_BYTES);
    reader.goOn();
    assertEquals((await copying).rowCount, LONG_ROWS);
    assertEquals(reader.rowCount, LONG_ROWS);
  },
);

const REFUSALS: readonly { title: string; statement: string; state: string; rowCount: number }[] = [
  { title: "before any row", statement: "copy nowhere to stdout", state: "42P01", rowCount: 0 },
  {
    title: "with the first row",
    statement: "copy (select 1 / 0) to stdout",
    state: "22012",
    rowCount: 0,
  },
  {
    title: "behind many rows",
    statement: "copy (select 1 / (50000 - i) from generate_series(1, 60000) i) to stdout",
    state: "22012",
    rowCount: 49_999,
  },
];

for (const { title, statement, state, rowCount } of REFUSALS) {
  copyTest(
    `a COPY that the server ends ${title} rejects, and the connection goes on`,
    async (client) => {
      let count = 0;
      const error = await assertRejects(
        () => copyAll(client, statement, { onRow: () => void count++ }),
        Error,
      );
      assertEquals([sqlState(error), count], [state, rowCount]);
      const again = await copyAll(client, "copy (select 7) to stdout");
      assertEquals(again, { rowCount: 1, text: "7\n" });
    },
  );
}

copyTest(
  "a COPY that is cancelled while its reader waits rejects once that goes on",
  async (client, database) => {
    const reader = new StalledReader();
    const pid = await pidOf(client);
    const copying = copyAll(client, LONG, reader);
    copying.catch(() => {}); // awaited below
    await reader.stalled;
    await untilServerWaits(database, pid);
    await database.sql`select pg_cancel_backend(${pid})`;
    reader.goOn();
    assertEquals(sqlState(await assertRejects(() => copying, Error)), "57014");
    assertEquals((await copyAll(client, "copy (select 7) to stdout")).rowCount, 1);
  },
);

copyTest("a COPY whose backend is terminated rejects", async (client, database) => {
  const reader = new StalledReader();
  const pid = await pidOf(client);
  const copying = copyAll(client, LONG, reader);
  copying.catch(() => {}); // awaited below
  await reader.stalled;
  await untilServerWaits(database, pid);
  await database.sql`select pg_terminate_backend(${pid})`;
  reader.goOn();
  assertEquals(faultKind(await assertRejects(() => copying, Error)), "retry");
});

Deno.test("a COPY whose server crashes rejects", async () => {
  await using server = await ownCluster();
  const client = await connect({ kind: "server", url: server.url }, {
    applicationName: "copy test",
  });
  const reader = new StalledReader();
  const copying = copyAll(client, LONG, reader);
  copying.catch(() => {}); // awaited below
  await reader.stalled;
  await server.stop("immediate");
  reader.goOn();
  assertEquals(faultKind(await assertRejects(() => copying, Error)), "retry");
  await client.close();
});

copyTest("a COPY whose connection breaks rejects", async (_, database) => {
  await using proxy = new TcpProxy(database.url);
  const client = await connect(
    { kind: "server", url: proxy.through(database.url) },
    { applicationName: "copy test" },
  );
  const reader = new StalledReader();
  const copying = copyAll(client, LONG, reader);
  copying.catch(() => {}); // awaited below
  await reader.stalled;
  proxy.cut();
  reader.goOn();
  assertEquals(faultKind(await assertRejects(() => copying, Error)), "retry");
  await client.close();
});

const GIVEN_UP: readonly {
  title: string;
  /** @returns what the COPY is given, and how it is given up once its reader waits */
  how: (reader: StalledReader, fault: Error) => {
    change: Partial<CopyOutOptions>;
    giveUp: (client: DatabaseClient) => void;
  };
}[] = [
  {
    title: "by its signal",
    how: (reader, fault) => {
      const controller = new AbortController();
      return {
        change: {
          onRow: reader.onRow,
          untilRoom: reader.untilRoom,
          signal: controller.signal,
        },
        giveUp: () => controller.abort(fault),
      };
    },
  },
  {
    title: "by a reader that never has room again",
    how: (reader, fault) => ({
      change: { onRow: reader.onRow, untilRoom: reader.untilRoom },
      giveUp: () => reader.fail(fault),
    }),
  },
  {
    title: "by what a row is for",
    how: (reader, fault) => {
      let isOver = false;
      return {
        change: {
          onRow(bytes, at, end) {
            if (isOver) throw fault;
            reader.onRow(bytes, at, end);
          },
          untilRoom: reader.untilRoom,
        },
        giveUp() {
          isOver = true;
          reader.goOn();
        },
      };
    },
  },
];

for (const { title, how } of GIVEN_UP) {
  copyTest(
    `a COPY that is given up ${title} rejects at once, and the server ends it`,
    async (client, database) => {
      const pid = await pidOf(client);
      const fault = new RangeError("enough");
      const reader = new StalledReader();
      const { change, giveUp } = how(reader, fault);
      let thrown: unknown;
      // what `begin` rejects with is the connection's end
      const copying = client.sql.begin((sql) =>
        copyOut(sql, {
          client,
          statement: LONG,
          onRow: () => {},
          untilRoom: () => null,
          signal: new AbortController().signal,
          ...change,
        }).catch((error) => {
          thrown = error;
          throw error;
        })
      );
      copying.catch(() => {}); // awaited below
      await reader.stalled;
      await untilServerWaits(database, pid);
      giveUp(client);
      await assertRejects(() => copying, Error);
      assertEquals(thrown, fault);
      await untilGone(database, pid);
      assertLess(reader.rowCount, LONG_ROWS);
      await assertRejects(async () => await client.sql`select 1`, Error);
    },
  );
}

copyTest("a COPY is not begun when its signal was aborted before", async (client) => {
  const controller = new AbortController();
  controller.abort(new RangeError("too late"));
  await assertRejects(() => copyAll(client, LONG, { signal: controller.signal }), RangeError);
  assertEquals((await copyAll(client, "copy (select 7) to stdout")).rowCount, 1);
});
