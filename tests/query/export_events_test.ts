import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { connect, type DatabaseClient } from "../../src/database/connect.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import {
  exportEvents,
  type ExportFormatName,
  type ExportOptions,
} from "../../src/query/export_events.ts";
import type { ExportRequest } from "../../src/query/export_window.ts";
import { findReportPipeline } from "../../src/query/find_report_pipeline.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { hasOpenssl } from "../database/test_certificates.ts";
import { tlsServer } from "../database/tls_server.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLines,
  HEADER,
  ingestOnce,
  type IngestPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { until } from "../support/until.ts";

/** Some 20 pieces of CSV. */
const MANY = 60_000;
/** One that is written, and what was made meanwhile. */
const MOST_PIECE_BYTES = 1024 * 1024;

async function withClient<T>(
  { database }: Pick<IngestPlace, "database">,
  work: (client: DatabaseClient) => Promise<T>,
): Promise<T> {
  const client = await connect(database.target, { applicationName: "export test" });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

async function optionsFor(
  client: DatabaseClient,
  change: Partial<ExportOptions>,
): Promise<ExportOptions> {
  return {
    pipeline: await findReportPipeline(client.sql, "default"),
    schema: USER_EVENTS,
    request: {},
    format: "csv",
    write: () => Promise.resolve(),
    onProgress: () => {},
    signal: new AbortController().signal,
    ...change,
  };
}

async function exported(
  place: Pick<IngestPlace, "database">,
  request: ExportRequest = {},
  format: ExportFormatName = "csv",
): Promise<string> {
  return await withClient(place, async (client) => {
    const pieces: Uint8Array[] = [];
    const { sizeBytes, rowCount } = await exportEvents(
      client,
      await optionsFor(client, {
        request,
        format,
        write: (bytes) => {
          pieces.push(bytes.slice());
          return Promise.resolve();
        },
      }),
    );
    const text = Buffer.concat(pieces).toString();
    const heads = format === "csv" ? 1 : 0;
    assertEquals([sizeBytes, rowCount + heads], [
      Buffer.byteLength(text),
      text.split("\n").length - 1,
    ]);
    return text;
  });
}

async function load(place: IngestPlace, count: number): Promise<void> {
  await writeEvents(place, `${count}.csv`, csvText(eventLines(0, count)));
  await ingestOnce(place);
}

/** Of the fixture's events, seconds after 2026-03-14 10:00. */
function secondsOf(csv: string): number[] {
  return csv.trimEnd().split("\n").slice(1).map((line) =>
    (Date.parse(line.split(",")[1]!) - Date.UTC(2026, 2, 14, 10)) / 1000
  ).sort((a, b) => a - b);
}

function range(from: number, until: number): number[] {
  return Array.from({ length: until - from }, (_, index) => from + index);
}

const TEN = Date.UTC(2026, 2, 14, 10);

ingestCase("an export begins with --since, and ends before --until", async (place) => {
  await load(place, 150);
  const seconds = async (request: ExportRequest) => secondsOf(await exported(place, request));
  assertEquals(await seconds({}), range(0, 150));
  assertEquals(await seconds({ sinceMs: TEN + 20_000 }), range(20, 150));
  assertEquals(await seconds({ untilMs: TEN + 20_000 }), range(0, 20));
  assertEquals(await seconds({ sinceMs: TEN + 20_000, untilMs: TEN + 21_000 }), [20]);
  assertEquals(await seconds({ sinceMs: TEN + 19_001, untilMs: TEN + 20_001 }), [20]);
  assertEquals(await seconds({ sinceMs: TEN + 1e9 }), []);
  // any number that a flag accepts
  assertEquals(await seconds({ sinceMs: -8e12, untilMs: 8e12 }), range(0, 150));
});

ingestCase("an hour ago is an hour before the newest event, or before --until", async (place) => {
  await load(place, 150);
  const seconds = async (request: ExportRequest) => secondsOf(await exported(place, request));
  // the newest is of 10:02:29, and so 10:03 the end, as reports have it
  assertEquals(await seconds({ sinceAgoMs: 60_000 }), range(120, 150));
  assertEquals(await seconds({ sinceAgoMs: 3_600_000 }), range(0, 150));
  assertEquals(await seconds({ sinceAgoMs: 10_000, untilMs: TEN + 50_000 }), range(40, 50));
});

ingestCase("a window that ends before it begins is refused", async (place) => {
  await load(place, 1);
  for (
    const request of [
      { sinceMs: TEN, untilMs: TEN },
      { sinceMs: TEN + 1, untilMs: TEN },
      { sinceAgoMs: 0 },
      { sinceAgoMs: 0, untilMs: TEN },
    ]
  ) {
    const error = await assertRejects(() => exported(place, request), PgsluiceError);
    assertEquals([error.code, error.exitCode], ["empty-window", 2]);
  }
});

ingestCase("only the newest event needs the sums by minute", async (place) => {
  await load(place, 10);
  await place.database.sql`delete from pgsluice.minute_deltas`;
  await place.database.sql`delete from pgsluice.minutes`;
  await place.database.sql`delete from pgsluice.rollups`;
  assertEquals(secondsOf(await exported(place, { sinceMs: TEN })), range(0, 10));
  const error = await assertRejects(
    () => exported(place, { sinceAgoMs: 1_000 }),
    PgsluiceError,
  );
  assertEquals(error.code, "no-minutes");
});

ingestCase("an export of nothing is a header, or nothing", async (place) => {
  await load(place, 0);
  assertEquals(await exported(place), `${HEADER}\n`);
  assertEquals(await exported(place, {}, "ndjson"), "");
});

ingestCase("rows come in the order of the table, the same each time", async (place) => {
  const { sql } = place.database;
  await load(place, 5_000);
  await sql`delete from user_events where user_id % 7 = 0`;
  await sql`vacuum user_events`;
  await sql`update user_events set product_name = 'moved' where user_id % 5 = 0`;
  const text = await exported(place);
  const keys = await sql<{ key: string }[]>`
    select event_id::text as key from user_events order by ctid`;
  assertEquals(
    text.trimEnd().split("\n").slice(1).map((line) => line.slice(0, 36)),
    keys.map(({ key }) => key),
  );
  assertEquals(await exported(place), text);
});

/** A writer that takes the first piece, and the others when it is told. */
class StalledWriter {
  readonly pieces: Uint8Array[] = [];
  #isWriting = false;
  readonly #stalled = Promise.withResolvers<void>();
  readonly #room = Promise.withResolvers<void>();

  readonly write = async (bytes: Uint8Array): Promise<void> => {
    assertEquals(this.#isWriting, false, "one piece at a time");
    assertLess(bytes.length, MOST_PIECE_BYTES);
    this.#isWriting = true;
    if (this.pieces.length > 0) {
      this.#stalled.resolve();
      await this.#room.promise;
    }
    this.pieces.push(bytes.slice());
    this.#isWriting = false;
  };

  get stalled(): Promise<void> {
    return this.#stalled.promise;
  }

  goOn(): void {
    this.#room.resolve();
  }

  get text(): string {
    return Buffer.concat(this.pieces).toString();
  }
}

/** Resolves when the export's session waits for its reader. */
async function untilServerWaits({ database: { sql } }: IngestPlace): Promise<void> {
  await until("the server waits", async () => {
    const [row] = await sql<{ waits: boolean }[]>`
      select wait_event = 'ClientWrite' as waits
      from pg_stat_activity
      where application_name = 'export test' and datname = current_database()`;
    return row?.waits === true;
  });
}

async function sessionCount({ database: { sql } }: IngestPlace): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count
    from pg_stat_activity
    where application_name = 'export test' and datname = current_database()`;
  return row!.count;
}

ingestCase("an export is of one moment, however long it takes", async (place) => {
  await load(place, MANY);
  const before = await exported(place);
  await withClient(place, async (client) => {
    const writer = new StalledWriter();
    const exporting = exportEvents(
      client,
      await optionsFor(client, { request: { sinceAgoMs: 1e9 }, write: writer.write }),
    );
    await writer.stalled;
    await untilServerWaits(place);
    await place.database.sql`update user_events set price = price + 1`;
    await place.database.sql`delete from user_events where user_id > ${MANY / 2}`;
    writer.goOn();
    assertEquals((await exporting).rowCount, MANY);
    assertEquals(writer.text === before, true);
  });
});

ingestCase("a writer that takes its time is not overrun, and has whole lines", async (place) => {
  await load(place, MANY);
  await withClient(place, async (client) => {
    const writer = new StalledWriter();
    const exporting = exportEvents(client, await optionsFor(client, { write: writer.write }));
    await writer.stalled;
    await untilServerWaits(place);
    writer.goOn();
    await exporting;
    for (const piece of writer.pieces) assertEquals(piece.at(-1), 0x0a);
    assertLess(5, writer.pieces.length);
  });
});

ingestCase("an export that is stopped ends with a whole line", async (place) => {
  await load(place, MANY);
  const whole = await exported(place);
  await withClient(place, async (client) => {
    const writer = new StalledWriter();
    const controller = new AbortController();
    const exporting = exportEvents(
      client,
      await optionsFor(client, { write: writer.write, signal: controller.signal }),
    );
    exporting.catch(() => {}); // awaited below
    await writer.stalled;
    await untilServerWaits(place);
    const reason = new RangeError("enough");
    controller.abort(reason);
    writer.goOn();
    assertEquals(await assertRejects(() => exporting, RangeError), reason);
    assert(writer.text.endsWith("\n") && whole.startsWith(writer.text));
    assertLess(writer.text.length, whole.length);
    await until("the session ends", async () => await sessionCount(place) === 0);
  });
});

ingestCase("an export whose writer never goes on can be stopped", async (place) => {
  for (const count of [100, MANY]) {
    await load(place, count);
    await withClient(place, async (client) => {
      const controller = new AbortController();
      const writing = Promise.withResolvers<void>();
      const exporting = exportEvents(
        client,
        await optionsFor(client, {
          write: () => {
            writing.resolve();
            return new Promise(() => {});
          },
          signal: controller.signal,
        }),
      );
      exporting.catch(() => {}); // awaited below
      await writing.promise;
      controller.abort(new RangeError("enough"));
      await assertRejects(() => exporting, RangeError);
    });
  }
});

ingestCase("what a writer fails with ends the export, in the server too", async (place) => {
  for (const count of [100, MANY]) {
    await load(place, count);
    await withClient(place, async (client) => {
      const fault = new Deno.errors.BrokenPipe("gone");
      let calls = 0;
      const exporting = exportEvents(
        client,
        await optionsFor(client, {
          write: () => {
            calls++;
            return Promise.reject(fault);
          },
        }),
      );
      assertEquals([await assertRejects(() => exporting, Error), calls], [fault, 1]);
    });
    await until("the session ends", async () => await sessionCount(place) === 0);
  }
});

ingestCase("what the server says ends the export", async (place) => {
  await load(place, 10);
  await place.database.sql`alter table user_events rename column price to cost`;
  const error = await assertRejects(() => exported(place), Error);
  assertEquals((error as { code?: string }).code, "42703");
});

ingestCase("columns of other types are read as the schema's, or refused", async (place) => {
  await load(place, 3);
  const { sql } = place.database;
  const before = await exported(place);
  await sql`alter table user_events alter product_id type text, alter quantity type bigint,
    alter event_type type varchar(20), alter price type numeric`;
  assertEquals(await exported(place), before);
  await sql`update user_events set product_id = 'none'`;
  const error = await assertRejects(() => exported(place), Error);
  assertEquals((error as { code?: string }).code, "22P02");
});

Deno.test({
  name: "a reader over TCP may take as long as it likes",
  ignore: !await hasOpenssl(),
  fn: async () => {
    await using server = await tlsServer();
    const url = `postgresql://eve@${server.address}:5432/postgres?sslmode=require`;
    const client = await connect({ kind: "server", url }, { applicationName: "export test" });
    // a table that shows what the session has
    await client.sql`create temporary view settings as
      select gen_random_uuid() as event_id, now() as event_timestamp, 'view' as event_type,
        1::bigint as user_id, 1::bigint as product_id,
        current_setting('tcp_user_timeout') as product_name,
        current_setting('statement_timeout') as category, 1.5::numeric as price, 1 as quantity`;
    await client.sql`set statement_timeout = '1h'`;
    let text = "";
    await exportEvents(client, {
      pipeline: { pipelineId: 1, name: "default", targetTable: '"settings"', timeZone: "UTC" },
      schema: USER_EVENTS,
      request: {},
      format: "csv",
      write: (bytes) => {
        text += new TextDecoder().decode(bytes);
        return Promise.resolve();
      },
      onProgress: () => {},
      signal: new AbortController().signal,
    });
    const [row] = await client.sql`select current_setting('tcp_user_timeout') as now`;
    assertEquals([text.split("\n")[1]!.split(",").slice(5, 7), row!.now], [["0", "0"], "60000"]);
    await client.close();
  },
});
