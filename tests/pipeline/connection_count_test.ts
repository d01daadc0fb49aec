import { assert, assertEquals } from "@std/assert";
import { ConnectionCount } from "../../src/pipeline/connection_count.ts";
import { FAST_SERVER, type ServerModel, SimulatedLoad } from "./simulated_server.ts";

/** While one of two sessions waits for its commit, a core stands idle. */
const SLOW_COMMITS: ServerModel = { ...FAST_SERVER, flushMs: 60 };
/** Enough for a trial. */
const TRIAL_BATCHES = 100;

function load(server: ServerModel, mostConnections = 4): SimulatedLoad {
  return new SimulatedLoad(server, { mostRecords: 20_000, mostConnections });
}

/** The numbers that were settled on: what held for longer than a part of a trial. */
function settled({ history }: SimulatedLoad): number[] {
  const runs: { connections: number; batches: number }[] = [];
  for (const { connections } of history) {
    const last = runs.at(-1);
    if (last?.connections === connections) last.batches++;
    else runs.push({ connections, batches: 1 });
  }
  return runs.filter(({ batches }) => batches > 40).map(({ connections }) => connections);
}

Deno.test("a third connection that fills the waits of the others stays", () => {
  const server = load(SLOW_COMMITS, 3);
  assertEquals(server.connectionCount.wanted, 2);
  server.run(TRIAL_BATCHES);
  assertEquals(server.connectionCount.wanted, 3);
  server.runFor(30_000);
  assertEquals(settled(server).at(-1), 3);
});

Deno.test("a third connection that hurts goes", () => {
  const server = load({ ...FAST_SERVER, contention: 0.2 });
  server.run(TRIAL_BATCHES);
  assert(server.history.some(({ connections }) => connections === 3), "it was tried");
  assertEquals(server.connectionCount.wanted, 2);
});

Deno.test("a third connection that changes nothing goes", () => {
  const server = load({ ...FAST_SERVER, flushMs: 0, roundTripMs: 0 });
  server.run(TRIAL_BATCHES);
  assert(server.history.some(({ connections }) => connections === 3), "it was tried");
  assertEquals(server.connectionCount.wanted, 2);
});

Deno.test("a long way is worth a fourth connection, and never a fifth", () => {
  const server = load({ ...FAST_SERVER, cores: 8, roundTripMs: 40 });
  server.runFor(400_000);
  assertEquals(settled(server).at(-1), 4);
  assert(server.history.every(({ connections }) => connections <= 4));
});

Deno.test("what was found out is looked at again when the server has changed", () => {
  const server = load(SLOW_COMMITS, 3);
  server.run(TRIAL_BATCHES);
  assertEquals(server.connectionCount.wanted, 3);
  server.server = { ...FAST_SERVER, contention: 0.2 };
  server.runFor(120_000);
  assertEquals(settled(server).at(-1), 2);
  server.server = SLOW_COMMITS;
  server.runFor(120_000);
  assertEquals(settled(server).at(-1), 3);
});

Deno.test("trials take little of the time", () => {
  const server = load({ ...FAST_SERVER, contention: 0.2 });
  server.runFor(600_000);
  const more = server.history.filter(({ connections }) => connections > 2).length;
  assert(more > 0 && more < server.history.length * 0.1, `${more} of ${server.history.length}`);
});

Deno.test("while the source is what is waited for nothing is tried", () => {
  const server = load(SLOW_COMMITS);
  server.hasBacklog = false;
  server.run(500);
  assert(server.history.every(({ connections }) => connections === 2));
});

Deno.test("a source that pauses in one part of a trial makes no verdict", () => {
  const server = load({ ...FAST_SERVER, contention: 0.2 });
  for (let batch = 0, withTwo = 0; batch < 2 * TRIAL_BATCHES; batch++) {
    server.run(1);
    withTwo = server.connectionCount.wanted === 2 ? withTwo + 1 : 0;
    // once with two connections, never with three, as if two were that slow
    if (withTwo % 20 !== 5) continue;
    server.hasBacklog = false;
    server.run(1);
    server.nowMs += 5_000;
    server.hasBacklog = true;
  }
  assert(server.history.some(({ connections }) => connections === 3), "it was tried");
  assertEquals(server.connectionCount.wanted, 2);
});

Deno.test("a server that gives no third connection is not asked again", () => {
  const server = load(SLOW_COMMITS);
  while (server.connectionCount.wanted === 2) server.run(1);
  server.connectionCount.refused(2);
  server.history.length = 0;
  server.runFor(300_000);
  assert(server.history.every(({ connections }) => connections === 2));
});

Deno.test("with one or two connections there is nothing to find out", () => {
  for (const most of [1, 2]) {
    const server = load(SLOW_COMMITS, most);
    assertEquals(server.connectionCount.wanted, most);
    server.run(300);
    assert(server.history.every(({ connections }) => connections === most));
  }
});

Deno.test("a connection that is still being made is waited for, not measured", () => {
  const count = new ConnectionCount({ most: 3 });
  let atMs = 0;
  const commit = (connections: number) =>
    count.committed({ records: 1_000, isFull: true, connections, atMs: atMs += 10 });
  while (count.wanted === 2) commit(2);
  for (let batch = 0; batch < 1_000; batch++) commit(2);
  assertEquals(count.wanted, 3);
});
