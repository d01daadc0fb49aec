import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { connect } from "../../src/database/connect.ts";
import type { DatabaseTarget } from "../../src/database/database_target.ts";
import { embeddedServerStatus, stopEmbeddedServer } from "../../src/database/embedded_server.ts";
import { holdTarget } from "../../src/database/hold_target.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { TcpProxy } from "../database/tcp_proxy.ts";
import { ingestOnce, withPlace } from "../support/ingest_fixture.ts";
import { fastDirectory } from "../support/test_server.ts";
import { type OwnPlace, withOwnPlace } from "./own_place.ts";
import { standbyOf } from "./standby.ts";
import { SteadyLoad } from "./steady_load.ts";

/** The server goes down twice, in order and as a crash, each in the middle of the load. */
async function stopTwice(place: OwnPlace, url: string): Promise<void> {
  const load = new SteadyLoad(place);
  const ingester = load.ingest({ target: { kind: "server", url } });
  const { heard } = ingester;
  for (const [index, mode] of (["fast", "immediate"] as const).entries()) {
    await load.add(10);
    await heard.until(() => heard.loaded > load.rows - 4_000);
    await place.server.stop(mode);
    await heard.until(() => heard.outages.length === index + 1);
    await place.server.start();
    await place.reconnect();
    await heard.until(() => heard.recoveries.length === index + 1);
  }
  await load.finish(ingester);
  assertEquals(heard.outages.map(({ awayMs }) => awayMs), [0, 0]);
}

Deno.test("a server that is stopped, crashes and is started again loses and doubles nothing", async () => {
  await withOwnPlace((place) => stopTwice(place, place.database.url));
});

Deno.test("the same by way of TCP", async () => {
  await withOwnPlace(async (place) => {
    await using proxy = new TcpProxy(place.database.url);
    await stopTwice(place, proxy.through(place.database.url));
  });
});

Deno.test("an embedded server that is stopped, crashes or is killed is started again by the ingester itself", async () => {
  const folder = await Deno.makeTempDir({ dir: await fastDirectory(), prefix: "pgsluice-home-" });
  await Deno.chmod(folder, 0o711);
  const dataDirectory = join(folder, "data");
  const target: DatabaseTarget = { kind: "embedded", dataDirectory, database: "spark_db" };
  const release = await holdTarget(target, { say: () => {} });
  try {
    const open = () => connect(target, { applicationName: "test" });
    await (await connect({ ...target, database: "postgres" }, { applicationName: "test" }))
      .close();
    let client: Awaited<ReturnType<typeof open>> | null = null;
    const database = {
      url: "",
      target,
      get sql() {
        return client!.sql;
      },
      drop: async () => await client?.close(),
      [Symbol.asyncDispose]: async () => await client?.close(),
    };
    await withPlace(database, async (place) => {
      const load = new SteadyLoad(place);
      const ingester = load.ingest();
      const { heard } = ingester;
      for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
        await load.add(6);
        await heard.until(() => heard.loaded > load.rows - 2_500);
        const outages = heard.outages.length;
        const { pid } = await embeddedServerStatus(dataDirectory);
        Deno.kill(pid!, signal);
        await heard.until(() => heard.outages.length > outages);
        await heard.until(() => heard.recoveries.length === heard.outages.length);
      }
      client = await open();
      await load.finish(ingester);
    });
  } finally {
    await release();
    await stopEmbeddedServer(dataDirectory);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a failover to a replica that lacks commits is healed from the files, those long done as well", async () => {
  await withOwnPlace(async (place) => {
    await using standby = await standbyOf(place.server);
    await using proxy = new TcpProxy(place.database.url);
    const load = new SteadyLoad(place);
    const ingester = load.ingest({
      target: { kind: "server", url: proxy.through(place.database.url) },
    });
    const { heard } = ingester;
    await load.add(4);
    await heard.until(() => heard.loaded === load.rows);
    await reached(place, standby.url);
    // from here on the replica hears nothing, and ten files are loaded to their end
    await standby.stop("fast");
    await load.add(10);
    await heard.until(() => heard.loaded === load.rows);
    await load.add(6);
    await heard.until(() => heard.loaded > 8_000);
    await place.server.stop("immediate");
    await standby.start();
    const client = await connect({ kind: "server", url: standby.url }, { applicationName: "t" });
    await client.sql`select pg_promote()`;
    const [lost] = await client.sql`select pg_is_in_recovery() as waits`;
    assertEquals(lost!.waits, false);
    await client.close();
    proxy.point(standby.url);
    await place.reconnect(standby);
    await heard.until(() => heard.journals.includes("ahead"));
    await load.finish(ingester);
  });
});

/** Resolves when the replica has replayed all that the primary has written. */
async function reached(place: OwnPlace, standbyUrl: string): Promise<void> {
  const client = await connect({ kind: "server", url: standbyUrl }, { applicationName: "test" });
  try {
    const [at] = await place.database.sql<{ lsn: string }[]>`select pg_current_wal_lsn() as lsn`;
    for (;;) {
      const [row] = await client.sql`
        select coalesce(pg_last_wal_replay_lsn() >= ${at!.lsn}::pg_lsn, false) as is`;
      if (row!.is) return;
    }
  } finally {
    await client.close();
  }
}

Deno.test("a replica that is not promoted is waited for, at the start and after a failover, with a clear line", async () => {
  await withOwnPlace(async (place) => {
    const load = new SteadyLoad(place);
    await load.add(2);
    await ingestOnce(place);
    await using standby = await standbyOf(place.server);
    await load.add(2);
    const url = place.urlOn(standby);
    const error = await assertRejects(
      () => ingestOnce(place, { target: { kind: "server", url } }),
      PgsluiceError,
    );
    assertEquals(error.code, "database-read-only");
    const ingester = load.ingest({ target: { kind: "server", url } });
    const { heard } = ingester;
    await heard.until(() => heard.outages.length === 1);
    const told = heard.outages[0]!.error;
    assert(told instanceof PgsluiceError);
    assertStringIncludes(told.message, "SQLSTATE 25006");
    assertStringIncludes(told.hint, "name the primary server");
    await place.server.stop("immediate");
    await place.reconnect(standby);
    await place.database.sql`select pg_promote()`;
    await heard.until(() => heard.recoveries.length === 1);
    // in the middle of the work, as when the old primary comes back as a replica
    await place.database.sql`alter system set default_transaction_read_only = on`;
    await place.database.sql`select pg_reload_conf()`;
    await load.add(4);
    await heard.until(() => heard.outages.length === 2);
    assertEquals((heard.outages[1]!.error as PgsluiceError).code, "database-read-only");
    await place.database.sql`alter system reset default_transaction_read_only`;
    await place.database.sql`select pg_reload_conf()`;
    await load.finish(ingester);
  });
});
