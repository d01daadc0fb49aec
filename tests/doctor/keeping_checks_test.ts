/** Where pgsluice keeps what is its own: the journal, and the embedded server's data. */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { clusterDirectory } from "../../src/database/server_home.ts";
import { checkpointsCheck } from "../../src/doctor/checkpoints_check.ts";
import { databaseCheck } from "../../src/doctor/database_check.ts";
import { embeddedCheck } from "../../src/doctor/embedded_check.ts";
import { spaceCheck } from "../../src/doctor/space_check.ts";
import { timeZoneCheck } from "../../src/doctor/time_zone_check.ts";
import { readPostmaster } from "../../src/database/postmaster.ts";
import { ownCluster } from "../database/own_cluster.ts";
import { until } from "../support/until.ts";
import { line, lookAt } from "./doctor_place.ts";

const GIB = 1024 ** 3;

async function entries(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

Deno.test("checkpoints that can be kept are ok, and nothing is left in them", async () => {
  const home = await Deno.makeTempDir();
  try {
    const look = () => lookAt(checkpointsCheck, () => ({ checkpointsDirectory: join(home, "c") }));
    assertMatch(line(await look()), /^ok .*c\/default can be made and written$/);
    assertEquals(await entries(home), []);
    await Deno.mkdir(join(home, "c", "default"), { recursive: true });
    await Deno.writeTextFile(join(home, "c", "default", "journal.jsonl"), "{}\n");
    assertMatch(line(await look()), /^ok .*c\/default can be written and locked$/);
    assertEquals(await entries(join(home, "c", "default")), ["journal.jsonl"]);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("a file in the way of the checkpoints is a problem", async () => {
  const result = await lookAt(checkpointsCheck, async (home) => {
    await Deno.writeTextFile(join(home, "checkpoints"), "");
    return {};
  });
  assertMatch(
    line(result),
    /^problem .* cannot be made: .*checkpoints is a file → move it away: mv/,
  );
});

Deno.test("a folder in place of the journal is a problem", async () => {
  const result = await lookAt(checkpointsCheck, async (home) => {
    await Deno.mkdir(join(home, "checkpoints", "default", "journal.jsonl"), { recursive: true });
    return {};
  });
  assertMatch(
    line(result),
    /^problem the journal .*journal\.jsonl: it is no file → .*chown/,
  );
});

Deno.test({
  name: "checkpoints that this user may not write are a problem",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const result = await lookAt(
      checkpointsCheck,
      () => ({ checkpointsDirectory: "/sys/journals" }),
    );
    assertMatch(
      line(result),
      /^problem .* in \/sys\/journals\/default: permission denied → .*chown/,
    );
  },
});

Deno.test("checkpoints on a network file system are a warning", async () => {
  const result = await lookAt(checkpointsCheck, () => ({
    machine: { readProc: () => Promise.resolve("27 1 0:44 / / rw - nfs4 host:/x rw\n") },
  }));
  assertMatch(line(result), /^warning it is on nfs4, mounted on \/.* → .*--checkpoints$/);
});

Deno.test("little free space is a warning, hardly any a problem", async () => {
  const look = (freeBytes: number) =>
    lookAt(spaceCheck, (home) => ({
      target: { kind: "embedded", dataDirectory: join(home, "postgres"), database: "spark_db" },
      machine: { space: () => Promise.resolve({ freeBytes, sizeBytes: 100 * GIB }) },
    }));
  assertMatch(line(await look(50 * GIB)), /^ok 50\.0 GiB of 100\.0 GiB are free for the journal; /);
  assertMatch(
    line(await look(3 * GIB)),
    /^warning only 3\.0 GiB of .* embedded server → make room/,
  );
  assertMatch(
    line(await look(0.01 * GIB)),
    /^problem only 10\.2 MiB of .* journal; only .* → make/,
  );
});

Deno.test("the free space of this machine is read", async () => {
  assertMatch(line(await lookAt(spaceCheck, () => ({}))), / [\d.]+ .iB of [\d.]+ .iB are free for/);
});

Deno.test("a time zone that is none is a problem", async () => {
  const look = (timeZone: string) => lookAt(timeZoneCheck, () => ({ timeZone }));
  assertMatch(line(await look("Europe/Berlin")), /^ok Europe\/Berlin is known$/);
  assertMatch(
    line(await look("Mars/Base")),
    /^problem Mars\/Base is no time zone .* → .*--timezone/,
  );
});

Deno.test("an embedded server that was not made is none to look at, and is not made", async () => {
  const check = (which: typeof embeddedCheck) =>
    lookAt(which, (home) => ({
      target: { kind: "embedded", dataDirectory: join(home, "events", "pg"), database: "spark_db" },
    }));
  assertMatch(line(await check(embeddedCheck)), /^ok it is made in .*pg when it is first needed$/);
  assertMatch(line(await check(databaseCheck)), /^skipped the embedded server is not made yet/);
});

Deno.test("an embedded server that cannot be made is a problem", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const result = await lookAt(embeddedCheck, () => ({
    target: { kind: "embedded", dataDirectory: "/sys/postgres", database: "spark_db" },
  }));
  assertMatch(
    line(result),
    /^problem it cannot be made in \/sys\/postgres: .* → set PGSLUICE_HOME/,
  );
});

Deno.test("data of another PostgreSQL in place of the embedded server's is a problem", async () => {
  const result = await lookAt(embeddedCheck, async (home) => {
    await Deno.writeTextFile(join(home, "PG_VERSION"), "15\n");
    return { target: { kind: "embedded", dataDirectory: home, database: "spark_db" } };
  });
  assertMatch(line(result), /^problem .* is the data of another PostgreSQL → /);
});

Deno.test("an embedded server of another major version is a problem of the database", async () => {
  const home = await Deno.makeTempDir();
  try {
    await Deno.chmod(home, 0o711);
    await Deno.mkdir(clusterDirectory(home));
    await Deno.writeTextFile(join(clusterDirectory(home), "PG_VERSION"), "15\n");
    const result = await lookAt(databaseCheck, () => ({
      target: { kind: "embedded", dataDirectory: home, database: "spark_db" },
    }));
    assertMatch(line(result), /^problem .* is of PostgreSQL 15; .* → dump it with a PostgreSQL 15/);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("an embedded server that a killed command left up is a warning", async () => {
  await using server = await ownCluster();
  const { home } = server.cluster;
  const look = () =>
    lookAt(embeddedCheck, () => ({
      target: { kind: "embedded", dataDirectory: home, database: "postgres" },
    }));
  assertMatch(
    line(await look()),
    /^warning PostgreSQL \d+ in .* was left up by a command that was /,
  );
  const users = await Deno.open(join(home, "users.lock"), { write: true, create: true });
  await users.lock(false);
  assertMatch(line(await look()), /^ok PostgreSQL \d+ in .* is up while commands use it$/);
  users.close();
  await Deno.writeTextFile(join(home, "keep"), "");
  assertMatch(line(await look()), /^ok .* is up until `pgsluice db stop`$/);
});

Deno.test("what a killed embedded server leaves is told: its lock file, and its processes", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using server = await ownCluster();
  const { home } = server.cluster;
  const look = () =>
    lookAt(embeddedCheck, () => ({
      target: { kind: "embedded", dataDirectory: home, database: "postgres" },
    }));
  const { pid } = (await readPostmaster(home))!;
  Deno.kill(pid!, "SIGKILL");
  await until("the server is gone", async () => await readPostmaster(home) === null);
  // stands for a backend that does not end
  const orphan = new Deno.Command("sleep", { args: ["60"], cwd: clusterDirectory(home) }).spawn();
  const held = await look();
  orphan.kill();
  await orphan.status;
  assertMatch(line(held), /^problem .* was killed, and processes of it .* → kill \d/);
  assertMatch(held.remedy!, new RegExp(`\\b${orphan.pid}\\b`));
  const left = await look();
  assertMatch(line(left), /^warning .* was killed, and left its lock file; .* → .*server\.log/);
});
