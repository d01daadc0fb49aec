import { assert, assertEquals, assertRejects } from "@std/assert";
import { type BatchCarrier, CommitQueue } from "../../src/pipeline/commit_queue.ts";
import { Batch } from "../../src/sink/batch.ts";
import {
  type CommitResult,
  type CommitTurn,
  YieldToOlderError,
} from "../../src/sink/batch_sink.ts";

const RESULT: CommitResult = { moves: [], rejects: [], loaded: 0, duplicate: 0 };

/** A carrier whose COPY takes until the test says so; it then waits for its turn. */
class HandCarrier implements BatchCarrier {
  readonly processId: number;
  yields = 0;
  readonly #copies = new Map<Batch, PromiseWithResolvers<void>>();

  constructor(processId: number) {
    this.processId = processId;
  }

  copied(batch: Batch): PromiseWithResolvers<void> {
    const copy = this.#copies.get(batch) ?? Promise.withResolvers<void>();
    this.#copies.set(batch, copy);
    return copy;
  }

  async commit(batch: Batch, turn: CommitTurn): Promise<CommitResult> {
    await this.copied(batch).promise;
    for (;;) {
      try {
        await turn.wait();
        return RESULT;
      } catch (error) {
        if (!(error instanceof YieldToOlderError)) throw error;
        this.yields++;
        await turn.waitWithoutLocks();
      }
    }
  }
}

function harness(
  carrierCount: number,
  blockersOf: (processId: number) => Promise<number[]> = () => Promise.resolve([]),
) {
  const carriers = Array.from({ length: carrierCount }, (_, index) => new HandCarrier(index + 1));
  const committed: Batch[] = [];
  const faults: unknown[] = [];
  const queue = new CommitQueue({
    carriers,
    blockersOf,
    onCommitted: (batch) => committed.push(batch),
    onFault: (error) => faults.push(error),
    onFree: () => {},
  });
  const finishCopy = (batch: Batch) =>
    carriers.forEach((carrier) => carrier.copied(batch).resolve());
  return { carriers, committed, faults, queue, finishCopy };
}

Deno.test("batches commit in the order they were offered, however their copies end", async () => {
  const { committed, queue, finishCopy } = harness(3);
  const batches = [new Batch(), new Batch(), new Batch()] as const;
  for (const batch of batches) await queue.offer(batch);
  for (const batch of [batches[2], batches[1], batches[0]]) finishCopy(batch);
  await queue.drain();
  assert(committed.every((batch, index) => batch === batches[index]));
  assertEquals(committed.length, 3);
  queue.close();
});

Deno.test("an offer waits while every connection and the waiting place are taken", async () => {
  const { queue, finishCopy, committed } = harness(1);
  const [first, second] = [new Batch(), new Batch()];
  await queue.offer(first);
  assertEquals(queue.hasFreeCarrier, false);
  let hasRoom = false;
  const offered = queue.offer(second).then(() => hasRoom = true);
  await Promise.resolve();
  assertEquals(hasRoom, false);
  finishCopy(first);
  await offered;
  finishCopy(second);
  await queue.drain();
  assertEquals(committed.length, 2);
  assert(queue.isEmpty && queue.hasFreeCarrier);
  queue.close();
});

Deno.test("no more connections are used than the limit, and one that comes later is used", async () => {
  const { queue, finishCopy, committed } = harness(2);
  queue.limit = 1;
  const [first, second, third] = [new Batch(), new Batch(), new Batch()];
  await queue.offer(first);
  assertEquals(queue.hasFreeCarrier, false);
  const offered = queue.offer(second);
  queue.limit = 3;
  const late = new HandCarrier(3);
  assertEquals(queue.carrierCount, 2);
  queue.addCarrier(late);
  await offered;
  assertEquals([first.connections, second.connections], [1, 3]);
  await queue.offer(third);
  assert(!queue.hasFreeCarrier && queue.carrierCount === 3);
  for (const batch of [third, second]) late.copied(batch).resolve();
  for (const batch of [third, second, first]) finishCopy(batch);
  await queue.drain();
  assert([first, second, third].every((batch, index) => batch === committed[index]));
  assert(second.stages.queueMs > 0 && first.stages.queueMs < second.stages.queueMs);
  queue.close();
});

Deno.test("a younger batch that blocks the oldest one gives way and commits after it", async () => {
  const blocked = Promise.withResolvers<void>();
  let pollCount = 0;
  const { carriers, committed, queue, finishCopy } = harness(2, (processId) => {
    // free connections are taken from the end: the oldest batch is on process 2
    blocked.resolve();
    pollCount++;
    return Promise.resolve(processId === 2 ? [1] : []);
  });
  const [older, younger] = [new Batch(), new Batch()];
  await queue.offer(older);
  await queue.offer(younger);
  finishCopy(younger);
  await blocked.promise;
  while (carriers[0]!.yields === 0) await new Promise((resolve) => setTimeout(resolve));
  // what the server says may be late: it is asked again while the younger one is rolled back
  const polls = pollCount;
  while (pollCount < polls + 2) await new Promise((resolve) => setTimeout(resolve));
  finishCopy(older);
  await queue.drain();
  assert(committed[0] === older && committed[1] === younger);
  queue.close();
});

Deno.test("after a fault nothing commits that had not, and the queue says why", async () => {
  const { carriers, committed, faults, queue, finishCopy } = harness(2);
  const [older, younger] = [new Batch(), new Batch()];
  await queue.offer(older);
  await queue.offer(younger);
  finishCopy(younger);
  const fault = new Error("connection lost");
  // free connections are taken from the end
  carriers[1]!.copied(older).reject(fault);
  await assertRejects(() => queue.drain(), Error, "connection lost");
  await assertRejects(() => queue.offer(new Batch()), Error, "connection lost");
  assertEquals(committed, []);
  assertEquals(faults, [fault]);
  queue.close();
});
