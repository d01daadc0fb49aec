import { assert, assertEquals } from "@std/assert";
import { OWNER_TIMES } from "../../src/sink/pipeline_owner.ts";
import { TcpProxy, type Trap } from "../database/tcp_proxy.ts";
import { type IngestPlace, withPlace } from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { BATCH_ROWS, SteadyLoad } from "./steady_load.ts";

interface Behind {
  readonly place: IngestPlace;
  readonly proxy: TcpProxy;
  readonly load: SteadyLoad;
  /** By way of the proxy. */
  ingest(change?: Parameters<SteadyLoad["ingest"]>[0]): ReturnType<SteadyLoad["ingest"]>;
}

/** An ingester whose network is the test's. */
function networkTest(name: string, run: (behind: Behind) => Promise<void>): void {
  Deno.test(name, async () => {
    await withPlace(await testDatabase({ setUp: true }), async (place) => {
      await using proxy = new TcpProxy(place.database.url);
      const target = { kind: "server" as const, url: proxy.through(place.database.url) };
      const load = new SteadyLoad(place);
      await run({ place, proxy, load, ingest: (change) => load.ingest({ target, ...change }) });
    });
  });
}

const CUTS: readonly { where: string; trap: Omit<Trap, "then"> }[] = [
  { where: "as a batch begins", trap: { text: "constraints all", from: "client" } },
  {
    where: "in the middle of a COPY",
    trap: { text: "copy ", from: "client", afterBytes: 2_000 },
  },
  { where: "before the ledger moves", trap: { text: "with owner as", from: "client" } },
  {
    where: "before COMMIT arrives",
    trap: { text: "\0commit\0", from: "client", after: "with owner as" },
  },
  {
    where: "between COMMIT and its answer",
    trap: { text: "COMMIT\0", from: "server", after: "with owner as" },
  },
];

const CUT_COUNT = 3;

for (const { where, trap } of CUTS) {
  networkTest(`a connection cut ${where} loses and doubles nothing`, async (behind) => {
    const { proxy, load } = behind;
    await load.add(4);
    // set before it begins, and anew as soon as it has sprung: each session's first batch meets it
    const cut = { ...trap, then: "cut" } as const;
    let sprung = proxy.trap(cut);
    const ingester = behind.ingest();
    for (let cuts = 1; cuts <= CUT_COUNT; cuts++) {
      await sprung;
      if (cuts < CUT_COUNT) sprung = proxy.trap(cut);
    }
    await load.finish(ingester);
    const { heard } = ingester;
    assertEquals([heard.starts, heard.outages.length], [CUT_COUNT + 1, 1]);
    // what the server committed unheard was found in the ledger, not loaded again
    const unheardRows = trap.from === "server" ? CUT_COUNT * BATCH_ROWS : 0;
    assertEquals(heard.loaded, load.rows - unheardRows);
  });
}

const QUICK = {
  owner: { ...OWNER_TIMES, heartbeatMs: 100, heartbeatDeadlineMs: 500, silenceMs: 500 },
  progressMs: 500,
};

networkTest(
  "a network that swallows everything is noticed by the heartbeat, idle and under load",
  async (behind) => {
    const { proxy, load } = behind;
    const ingester = behind.ingest({ times: QUICK });
    const { heard } = ingester;
    for (const isIdle of [false, true]) {
      await load.add(4);
      await heard.until(() => heard.loaded > load.rows - (isIdle ? 1 : 1_500));
      const outages = heard.outages.length;
      proxy.freeze();
      await heard.until(() => heard.outages.length > outages);
      proxy.thaw();
      // what was tried meanwhile went into the hole; that is given up after 10 s
      proxy.cut();
      await load.add(1);
      await heard.until(() => heard.recoveries.length === heard.outages.length);
    }
    await load.finish(ingester);
  },
);

const SWALLOWED = [
  { at: "COPY", text: "copy ", after: "constraints all" },
  { at: "COMMIT", text: "\0commit\0", after: "with owner as" },
] as const;

for (const { at, ...trap } of SWALLOWED) {
  networkTest(
    `one connection that is swallowed at ${at} is given up at the progress deadline`,
    async (behind) => {
      const { proxy, load } = behind;
      const sprung = proxy.trap({ ...trap, from: "client", then: "freeze" });
      const ingester = behind.ingest({ times: QUICK });
      await load.add(6);
      await sprung;
      await ingester.heard.until(() => ingester.heard.outages.length > 0);
      await load.finish(ingester);
      assertEquals(ingester.heard.loaded, load.rows);
    },
  );
}

const START: readonly { what: string; text: string }[] = [
  { what: "the first question", text: "server_version_num" },
  { what: "the lock", text: "pg_try_advisory_lock" },
  { what: "the look for earlier sessions", text: "pgsluice.pipelines" },
  { what: "the ledger's session", text: 'pg_backend_pid() as "processId"' },
  { what: "the migration", text: "pgsluice.migrations" },
  { what: "the epoch", text: "set epoch" },
  { what: "the ledger", text: "committed_line::float8" },
  { what: "a batch's session", text: "tgisinternal" },
];

for (const { what, text } of START) {
  networkTest(`a start that is swallowed at ${what} is given up and begun anew`, async (behind) => {
    const { proxy, load } = behind;
    await load.add(1);
    const sprung = proxy.trap({ text, from: "client", then: "freeze" });
    const ingester = behind.ingest({ times: QUICK });
    await sprung;
    await ingester.heard.until(() => ingester.heard.outages.length > 0);
    await load.finish(ingester);
  });
}

networkTest(
  "whichever of its sessions the server ends, the ingester comes back and loses nothing",
  async (behind) => {
    const { place, load } = behind;
    const ingester = load.ingest();
    const { heard } = ingester;
    await heard.until(() => heard.starts === 1);
    const sessions = async () => {
      const rows = await place.database.sql<{ name: string; pid: number }[]>`
      select application_name as name, pid from pg_stat_activity
      where application_name like 'pgsluice%' and datname = current_database() order by 1, 2`;
      return [...rows];
    };
    // the owner's, the ledger's and two that carry batches
    const names = (await sessions()).map(({ name }) => name.replace(/\d+/g, "N"));
    assertEquals(names, ["pgsluice owner", "pgsluice:N:N", "pgsluice:N:N", "pgsluice:N:N"]);
    for (let index = 0; index < names.length; index++) {
      await load.add(2);
      await heard.until(() => heard.loaded >= load.rows - 600);
      const starts = heard.starts;
      const victim = (await sessions())[index];
      assert(victim !== undefined);
      await place.database.sql`select pg_terminate_backend(${victim.pid})`;
      await load.add(2);
      await heard.until(() => heard.starts > starts);
    }
    await load.finish(ingester);
  },
);
