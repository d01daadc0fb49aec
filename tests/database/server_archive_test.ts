import { assertEquals, assertRejects } from "@std/assert";
import {
  openServerArchive,
  serverArchive,
  withServerArchive,
} from "../../src/database/server_archive.ts";
import type { ServerFile } from "../../src/database/server_files.ts";

/** As `deno compile` makes them: the runtime, and behind it a part that ends with its own size. */
function compiled(embedded: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const runtime = encoder.encode("\x7fELF, and a hundred megabytes");
  const part = encoder.encode(`d3n0l4nd${embedded}`);
  const bytes = new Uint8Array(runtime.length + part.length + 16);
  bytes.set(runtime);
  bytes.set(part, runtime.length);
  new DataView(bytes.buffer).setBigUint64(bytes.length - 8, BigInt(part.length + 16), true);
  return bytes;
}

async function inFile(
  bytes: Uint8Array | Blob,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, bytes instanceof Blob ? bytes.stream() : bytes);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

const FILES: readonly ServerFile[] = [
  { path: "bin/postgres", bytes: new Uint8Array(300_000).map((_, index) => index % 251) },
  { path: "share/empty", bytes: new Uint8Array() },
  { path: "lib/libpq.so.5.18", bytes: new TextEncoder().encode("d3n0l4nd pgsluice") },
  { path: "lib/libpq.so.5", linkTarget: "libpq.so.5.18" },
];

const SERVER = {
  version: "18.4.0-beta.17",
  async *files() {
    yield* FILES;
  },
};

Deno.test("an executable gives back the server that was put into it", async () => {
  const whole = await withServerArchive(compiled("the program"), SERVER);
  await inFile(whole, async (path) => {
    const server = await openServerArchive(path);
    assertEquals(server?.version, SERVER.version);
    assertEquals(await Array.fromAsync(server!.files()), [...FILES]);
  });
});

Deno.test("an archive by itself gives back the server, and none is there where there is no file", async () => {
  await inFile(await serverArchive(SERVER), async (path) => {
    const server = await openServerArchive(path);
    assertEquals(server?.version, SERVER.version);
    assertEquals(await Array.fromAsync(server!.files()), [...FILES]);
    assertEquals(await openServerArchive(`${path}.not-there`), null);
  });
});

Deno.test("what Deno embeds is at the end of the executable, where Deno looks for it", async () => {
  const before = compiled("the program");
  const after = await (await withServerArchive(before, SERVER)).bytes();
  const size = Number(new DataView(before.buffer).getBigUint64(before.length - 8, true));
  assertEquals(after.subarray(-size), before.subarray(-size));
  assertEquals(after.subarray(0, before.length - size), before.subarray(0, before.length - size));
});

Deno.test("files that hold no server are told from those that do", async () => {
  for (
    const bytes of [
      new Uint8Array(),
      new TextEncoder().encode("a program that Deno did not compile"),
      compiled("no server before it"),
      compiled("").subarray(20), // nothing at all before it
    ]
  ) {
    await inFile(bytes, async (path) => assertEquals(await openServerArchive(path), null));
  }
});

Deno.test("an executable of an unknown layout is refused when the server is put in", async () => {
  await assertRejects(
    () => withServerArchive(new TextEncoder().encode("another layout, some day"), SERVER),
    Error,
    "layout",
  );
});
