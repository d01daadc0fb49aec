import { assert, assertEquals, assertRejects } from "@std/assert";
import { ContentHash } from "../../src/source/content_hash.ts";
import { ReplayStream } from "../../src/source/replay_stream.ts";

function streamOf(...pieces: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(pieces.map((piece) => new TextEncoder().encode(piece)));
}

async function readText(stream: ReplayStream, atByte: number, byteCount: number): Promise<string> {
  const into = new Uint8Array(byteCount);
  let filled = 0;
  while (filled < byteCount) {
    const count = await stream.read(atByte + filled, into.subarray(filled));
    if (count === 0) break;
    filled += count;
  }
  return new TextDecoder().decode(into.subarray(0, filled));
}

Deno.test("replay stream gives the same bytes again from any byte not released", async () => {
  const stream = new ReplayStream(streamOf("abc", "", "defg", "h"));
  assertEquals(await readText(stream, 0, 100), "abcdefgh");
  assertEquals(await readText(stream, 2, 3), "cde");
  stream.release(4);
  assertEquals(await readText(stream, 4, 4), "efgh");
  stream.close();
});

Deno.test("replay stream refuses bytes that were released", async () => {
  const stream = new ReplayStream(streamOf("abc", "def"));
  await readText(stream, 0, 6);
  stream.release(3);
  await assertRejects(() => stream.read(0, new Uint8Array(1)), RangeError, "was let go");
  stream.close();
});

Deno.test("replay stream knows whether reading would wait, and where it ends", async () => {
  let push: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReplayStream(
    new ReadableStream({ start: (controller) => void (push = controller) }),
  );
  assert(!stream.isReady(0));
  const ready = stream.ready(0);
  push!.enqueue(new Uint8Array([65, 66]));
  await ready;
  assert(stream.isReady(1));
  assert(!stream.isReady(2));
  const end = stream.ready(2);
  push!.close();
  await end;
  assert(stream.isEnd(2));
  assert(!stream.isEnd(1));
  assertEquals(await stream.read(2, new Uint8Array(1)), 0);
  stream.close();
});

Deno.test("replay stream gives what is around a stretch that was passed, and knows its hash", async () => {
  const stream = new ReplayStream(streamOf("abc", "defg", "hij"));
  await readText(stream, 0, 10);
  const hash = new ContentHash();
  hash.update(new TextEncoder().encode("abcdefgh"));
  stream.pass({ fromByte: 2, toByte: 5, hash });
  stream.pass({ fromByte: 2, toByte: 8, hash }); // the same one, longer
  assertEquals(await readText(stream, 0, 2), "ab");
  assertEquals(await readText(stream, 8, 2), "ij");
  for (const byte of [2, 5, 7]) {
    await assertRejects(() => stream.read(byte, new Uint8Array(1)), RangeError, "was let go");
  }
  assertEquals(stream.passedFrom(2)?.toByte, 8);
  assertEquals(stream.passedFrom(3), undefined);
  assertEquals(stream.passedBefore(7), undefined);
  assertEquals(stream.passedBefore(9)?.hash, hash);
  stream.release(8);
  assertEquals(stream.passedBefore(9), undefined);
  stream.close();
});
