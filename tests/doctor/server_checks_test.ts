/** Servers of their own: a healthy one, and one with everything wrong that a server can have. */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { connect } from "../../src/database/connect.ts";
import { clusterDirectory } from "../../src/database/server_home.ts";
import { doctorCommand } from "../../src/cli/doctor.ts";
import { connectionsCheck } from "../../src/doctor/connections_check.ts";
import { durabilityCheck } from "../../src/doctor/durability_check.ts";
import { serverLogCheck } from "../../src/doctor/server_log_check.ts";
import { synchronousCommitCheck } from "../../src/doctor/synchronous_commit_check.ts";
import { writableCheck } from "../../src/doctor/writable_check.ts";
import { standbyOf } from "../outage/standby.ts";
import { ownCluster } from "../database/own_cluster.ts";
import { runCommand } from "../support/run_command.ts";
import { until } from "../support/until.ts";
import { line, lookAtDatabase } from "./doctor_place.ts";

interface Report {
  readonly status: string;
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly found: string;
    readonly remedy: string | null;
  }[];
}

async function withHome(work: (home: string) => Promise<void>): Promise<void> {
  const home = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(join(home, "events"));
    await work(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** Runs `pgsluice doctor` in a folder. */
function doctor(home: string, url: string, ...args: string[]) {
  return runCommand(
    doctorCommand,
    join(home, "events"),
    `--database=${url}`,
    `--checkpoints=${join(home, "checkpoints")}`,
    ...args,
  );
}

Deno.test("doctor finds a healthy place all ok, in a line a check and as JSON", async () => {
  await using server = await ownCluster({ settings: { fsync: "on" } });
  await withHome(async (home) => {
    const { exitCode, output } = await doctor(home, server.url);
    assertEquals(exitCode, 0, output);
    const lines = output.trimEnd().split("\n");
    assertMatch(lines.pop()!, /^21 checks: 0 problems, 0 warnings, 0 skipped$/);
    assertEquals(lines.filter((each) => !each.startsWith("ok  ")), []);
    const json = await doctor(home, server.url, "--json");
    assertEquals(json.exitCode, 0);
    const report: Report = JSON.parse(json.output);
    assertEquals(report.status, "ok");
    assertEquals(report.checks.map(({ name }) => name), [
      "folder",
      "folder-watch",
      "folder-file-system",
      "folder-rename",
      "folder-names",
      "folder-untaken",
      "time-zone",
      "checkpoints",
      "free-space",
      "database",
      "writable",
      "durability",
      "synchronous-commit",
      "clock",
      "connections",
      "server-log",
      "ledger",
      "grants",
      "table",
      "pipeline",
      "journal",
    ]);
    assertEquals(report.checks.filter(({ remedy }) => remedy !== null), []);
    // nothing was made
    assertEquals((await Array.fromAsync(Deno.readDir(home))).map(({ name }) => name), ["events"]);
    assertEquals(await Array.fromAsync(Deno.readDir(join(home, "events"))), []);
    const client = await connect({ kind: "server", url: server.url }, { applicationName: "test" });
    const [row] = await client.sql`
      select to_regclass('pgsluice.migrations') is null and to_regclass('user_events') is null as empty`;
    await client.close();
    assertEquals(row!.empty, true);
  });
});

Deno.test("doctor ends with exit code 3 if there is a problem, 0 with warnings only", async () => {
  await using server = await ownCluster({ settings: { fsync: "on" } });
  await withHome(async (home) => {
    await Deno.writeTextFile(join(home, "events", "a.csv.gz"), "");
    const warned = await doctor(home, server.url);
    assertEquals(warned.exitCode, 0, warned.output);
    assertMatch(warned.output, /^warning {2}folder-untaken +1 file .*\n +try: unpack .*$/m);
    assertMatch(warned.output, /^21 checks: 0 problems, 1 warning, 0 skipped$/m);
    const broken = await doctor(home, server.url, "--timezone=Mars/Base", "--json");
    assertEquals(broken.exitCode, 3);
    const report: Report = JSON.parse(broken.output);
    assertEquals(report.status, "problem");
    assertEquals(report.checks.find(({ name }) => name === "time-zone")?.status, "problem");
  });
});

Deno.test("doctor of a place without folder and server tells both, and goes on", async () => {
  await withHome(async (home) => {
    const { exitCode, output } = await runCommand(
      doctorCommand,
      join(home, "nothing"),
      "--database=postgresql://a:secret@127.0.0.1:1/b",
      `--checkpoints=${join(home, "checkpoints")}`,
      "--json",
    );
    assertEquals(exitCode, 3);
    assertEquals(output.includes("secret"), false);
    const { checks }: Report = JSON.parse(output);
    const named = (status: string) =>
      checks.filter((each) => each.status === status).map(({ name }) => name);
    assertEquals(named("problem"), ["folder", "database"]);
    assertEquals(named("ok"), ["time-zone", "checkpoints", "free-space"]);
    assertEquals(named("skipped").length, checks.length - 5);
  });
});

Deno.test("doctor of a pipe looks at no folder", async () => {
  const { output } = await runCommand(
    doctorCommand,
    "-",
    "--database=postgresql://127.0.0.1:1/b",
    "--json",
  );
  const { checks }: Report = JSON.parse(output);
  assertEquals(checks.filter(({ name }) => name.startsWith("folder")), []);
});

Deno.test("a server that may lose or fill up is told so", async () => {
  await using server = await ownCluster({
    settings: {
      full_page_writes: "off",
      synchronous_commit: "off",
      max_connections: "11",
      archive_mode: "on",
      archive_command: "/bin/false",
    },
  });
  const client = await connect({ kind: "server", url: server.url }, {
    applicationName: "test",
    maxConnections: 4,
  });
  try {
    const look = async (check: typeof durabilityCheck) =>
      line(await lookAtDatabase(check, server.url));
    assertMatch(
      await look(durabilityCheck),
      /^problem fsync is off: .*; full_page_writes is off: .* → .*alter system set fsync = on; /,
    );
    assertMatch(
      await look(synchronousCommitCheck),
      /^warning it is off for the whole server: .* → alter system set synchronous_commit = on/,
    );
    assertMatch(await look(serverLogCheck), /^ok nothing holds up the server's log$|^warning arch/);
    await client.sql`select pg_create_physical_replication_slot('gone', true)`;
    await client.sql`select pg_switch_wal()`;
    await until("archiving fails", async () => {
      const [row] = await client.sql<{ failed: boolean }[]>`
        select failed_count > 0 as failed from pg_stat_archiver`;
      return row!.failed;
    });
    assertMatch(
      await look(serverLogCheck),
      /^warning replication slot 'gone' is not in use .*; archiving .* fails .* → .*pg_drop_repl/,
    );
    // a server that stops tries to archive once more
    await client.sql`alter system set archive_command = '/bin/true'`;
    await client.sql`select pg_reload_conf()`;
    const busy = Array.from({ length: 4 }, () => client.sql`select pg_sleep(60)`.catch(() => {}));
    await until("four are busy", async () => {
      const other = await connect({ kind: "server", url: server.url }, { applicationName: "look" });
      const [row] = await other.sql<{ busy: number }[]>`
        select count(*)::int as busy from pg_stat_activity where query like '%pg_sleep%' and
          state = 'active' and pid <> pg_backend_pid()`;
      await other.close();
      return row!.busy === 4;
    });
    assertMatch(await look(connectionsCheck), /^ok 7 of the server's 11 connections are left/);
    client.destroy();
    await Promise.all(busy);
  } finally {
    await client.close();
  }
});

Deno.test("fsync that the server's command line turns off is mended there", async () => {
  await using server = await ownCluster({ settings: { fsync: "on" } });
  const { cluster } = server;
  await server.stop("fast");
  const { success } = await new Deno.Command(join(cluster.programs.directory, "bin", "pg_ctl"), {
    args: [
      "start",
      "--pgdata=.",
      "--log=../server.log",
      "--silent",
      `--options=-c fsync=off -c unix_socket_directories=${cluster.socketDirectory} -c port=5432`,
    ],
    cwd: clusterDirectory(cluster.home),
    ...(cluster.account ?? {}),
  }).output();
  assertEquals(success, true);
  const result = await lookAtDatabase(durabilityCheck, server.url);
  assertMatch(
    line(result),
    /^problem fsync is off: .* → take it out of the command line .*fsync=off/,
  );
});

Deno.test("a standby is a problem", { ignore: Deno.build.os !== "linux" }, async () => {
  await using primary = await ownCluster();
  await using standby = await standbyOf(primary);
  const result = await lookAtDatabase(writableCheck, standby.url);
  assertMatch(line(result), /^problem the server is a standby, .* → name the primary/);
  assertMatch(line(await lookAtDatabase(serverLogCheck, standby.url)), /^ok /);
});
