import { join } from "@std/path";
import { connect } from "../../src/database/connect.ts";
import { setUp } from "../../src/database/set_up.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { IngestPlace } from "../support/ingest_fixture.ts";
import { type BenchServer, databaseUrl, onServer } from "./bench_server.ts";

/** As a test's; the server is a real one, on disk. */
export interface BenchPlace extends IngestPlace {
  /** The database over TCP; null where the server listens on a socket alone. */
  readonly tcpUrl: string | null;
}

/** The connections of a bench's own. */
const CONNECTIONS = 4;

/** A database with ledger and table, and a folder, for one row; removed after it. */
export async function withBenchPlace<T>(
  { server, home: parent, name }: { server: BenchServer; home: string; name: string },
  use: (place: BenchPlace) => Promise<T>,
): Promise<T> {
  const database = `bench_${name.replaceAll("-", "_")}`;
  const home = join(parent, `place-${name}`);
  const events = join(home, "events");
  await Deno.mkdir(events, { recursive: true });
  const drop = () =>
    onServer(
      server.target,
      (sql) => sql.unsafe(`drop database if exists ${database} with (force)`),
    );
  await drop();
  const url = databaseUrl(server.target, database);
  const target = { kind: "server", url } as const;
  await setUp(target, { schema: USER_EVENTS, table: USER_EVENTS.table });
  const client = await connect(target, { applicationName: "bench", maxConnections: CONNECTIONS });
  try {
    return await use({
      home,
      events,
      tcpUrl: server.tcp === null ? null : databaseUrl(server.tcp, database),
      database: {
        url,
        target,
        sql: client.sql,
        drop: async () => {},
        [Symbol.asyncDispose]: async () => {},
      },
    });
  } finally {
    await client.close();
    await drop();
    await Deno.remove(home, { recursive: true });
  }
}
