import { assert, assertEquals } from "@std/assert";
import { BatchSize } from "../../src/pipeline/batch_size.ts";
import { FAST_SERVER, type ServerModel, SimulatedLoad } from "./simulated_server.ts";

function load(server: ServerModel, mostRecords = 20_000): SimulatedLoad {
  return new SimulatedLoad(server, { mostRecords, mostConnections: 2 });
}

Deno.test("batches begin small and grow to the limit on a fast server", () => {
  const fast = load(FAST_SERVER);
  assertEquals(fast.batchSize.records, 2_000);
  fast.run(20);
  assertEquals(fast.batchSize.records, 20_000);
  fast.run(200);
  assertEquals(fast.batchSize.records, 20_000);
});

Deno.test("a slow server gets batches of about a quarter second", () => {
  // 2,000 rows/s on each of two connections
  const slow = load({ ...FAST_SERVER, rowMs: 0.5 });
  slow.run(20);
  const settled = slow.history.slice(-5);
  for (const { tookMs } of settled) assert(tookMs > 200 && tookMs < 300, `${tookMs} ms`);
});

Deno.test("a batch that is slow because the way is long is not cut smaller", () => {
  // each takes over half a second, and nearly nothing of it is for its rows
  const far = load({ ...FAST_SERVER, roundTripMs: 100 });
  far.run(20);
  assert(far.history[0]!.tookMs > 500);
  assertEquals(far.batchSize.records, 20_000);
});

Deno.test("slow commits make batches larger than a quarter second, up to two seconds", () => {
  const slowDisk = load({ ...FAST_SERVER, rowMs: 0.1, flushMs: 80 });
  slowDisk.run(30);
  // ten times the commit
  const { records } = slowDisk.history.at(-1)!;
  assert(records > 7_000 && records < 9_000, `${records}`);
  const slowerDisk = load({ ...FAST_SERVER, rowMs: 0.5, flushMs: 1_000 });
  slowerDisk.run(30);
  const { records: fewer } = slowerDisk.history.at(-1)!;
  assert(fewer > 3_500 && fewer < 4_500, `${fewer}`);
});

Deno.test("batches follow a server that becomes slow, and one that recovers", () => {
  const server = load(FAST_SERVER);
  server.run(30);
  server.server = { ...FAST_SERVER, rowMs: 1 };
  server.run(20);
  assertEquals(server.batchSize.records, 500);
  server.server = FAST_SERVER;
  server.run(30);
  assertEquals(server.batchSize.records, 20_000);
});

Deno.test("one batch that met a lock halves the size at most, and the next ones mend it", () => {
  const size = new BatchSize({ mostRecords: 20_000 });
  const usual = { records: 20_000, loadMs: 200, fixedMs: 5 };
  for (let batch = 0; batch < 20; batch++) size.committed(usual);
  assertEquals(size.records, 20_000);
  size.committed({ ...usual, loadMs: 60_000 });
  assertEquals(size.records, 10_000);
  for (let batch = 0; batch < 8; batch++) size.committed(usual);
  assertEquals(size.records, 20_000);
});

Deno.test("a limit below the first and the least size is never passed", () => {
  for (const mostRecords of [1, 300, 1_000]) {
    for (const rowMs of [0.001, 10]) {
      const limited = load({ ...FAST_SERVER, rowMs }, mostRecords);
      for (let batch = 0; batch < 20; batch++) {
        assert(limited.batchSize.records >= 1 && limited.batchSize.records <= mostRecords);
        limited.run(1);
      }
    }
  }
});
