import { assertEquals } from "@std/assert";
import { connect } from "../../src/database/connect.ts";
import { PipelineOwner } from "../../src/sink/pipeline_owner.ts";
import { testDatabase } from "../support/test_database.ts";

Deno.test("a chain of sessions that wait for each other is seen to its end", async () => {
  await using database = await testDatabase({ setUp: true });
  const { sql, target } = database;
  await sql`create table keys (key integer primary key)`;
  const owner = await PipelineOwner.take(target, {
    name: "default",
    noWait: true,
    onStandby: () => {},
    onLost: () => {},
    signal: new AbortController().signal,
  });
  const clients = await Promise.all(
    ["first", "second", "third"].map((applicationName) => connect(target, { applicationName })),
  );
  const [first, second, third] = clients;
  const pidOf = async ({ sql }: typeof first & object) =>
    (await sql<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]!.pid;
  const isBlocked = async (pid: number) =>
    (await sql<{ is: boolean }[]>`select cardinality(pg_blocking_pids(${pid})) > 0 as is`)[0]!.is;
  try {
    const pids = await Promise.all(clients.map(pidOf));
    const release = Promise.withResolvers<void>();
    const inTurn: Promise<unknown>[] = [];
    const holds = Promise.withResolvers<void>();
    inTurn.push(third!.sql.begin(async (transaction) => {
      await transaction`insert into keys values (3)`;
      holds.resolve();
      await release.promise;
    }));
    await holds.promise;
    inTurn.push(second!.sql.begin(async (transaction) => {
      await transaction`insert into keys values (2)`;
      await transaction`insert into keys values (3) on conflict do nothing`;
    }));
    while (!await isBlocked(pids[1]!)) await new Promise((wake) => setTimeout(wake, 5));
    inTurn.push(first!.sql`insert into keys values (2) on conflict do nothing`.execute());
    while (!await isBlocked(pids[0]!)) await new Promise((wake) => setTimeout(wake, 5));
    assertEquals(await owner!.blockersOf(pids[0]!), [pids[1]!, pids[2]!]);
    assertEquals(await owner!.blockersOf(pids[2]!), []);
    release.resolve();
    await Promise.all(inTurn);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await owner!.release();
  }
});
