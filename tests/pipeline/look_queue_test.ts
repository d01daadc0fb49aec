import { assertEquals } from "@std/assert";
import { LookQueue } from "../../src/pipeline/look_queue.ts";

function candidate(path: string, sizeBytes = 1) {
  return { path, sizeBytes, modifiedMs: 0, inode: 1 };
}

Deno.test("a queue of looks holds each path once, in the order in which it came", () => {
  const queue = new LookQueue();
  for (const path of ["a", "b", "c"]) queue.put(candidate(path));
  queue.put(candidate("a", 2));
  assertEquals([queue.size, [...queue.paths()]], [3, ["a", "b", "c"]]);
  assertEquals(queue.take(), candidate("a", 2), "with what was seen last");
  queue.put(candidate("a", 3));
  assertEquals([...queue.paths()], ["b", "c", "a"]);
  assertEquals([queue.take()?.path, queue.take()?.path, queue.take()?.path], ["b", "c", "a"]);
  assertEquals([queue.take(), queue.size], [undefined, 0]);
});

Deno.test("a queue of looks knows how many bytes wait, as they were seen last", () => {
  const queue = new LookQueue();
  queue.put(candidate("a", 10));
  queue.put(candidate("b", 5));
  queue.put(candidate("a", 30));
  assertEquals(queue.sizeBytes, 35);
  // of what was read before only the rest waits; of what became shorter, nothing is known to
  queue.put(candidate("c", 1_000), 990);
  queue.put(candidate("d", 10), 20);
  assertEquals(queue.sizeBytes, 45);
  queue.put(candidate("c", 1_002), 1_000);
  assertEquals(queue.sizeBytes, 37);
  const left = Array.from({ length: 5 }, () => {
    queue.take();
    return queue.sizeBytes;
  });
  assertEquals(left, [7, 2, 0, 0, 0]);
  queue.put(candidate("c", 1_002));
  assertEquals(queue.sizeBytes, 1_002);
});

Deno.test("a queue of looks forgets nothing of many that come and go", () => {
  const queue = new LookQueue();
  const taken: string[] = [];
  for (let number = 0; number < 10_000; number++) {
    queue.put(candidate(String(number)));
    if (number % 3 > 0) taken.push(queue.take()!.path);
  }
  while (queue.size > 0) taken.push(queue.take()!.path);
  assertEquals(taken, Array.from({ length: 10_000 }, (_, number) => String(number)));
});
