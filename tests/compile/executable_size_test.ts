import { assertEquals, assertRejects } from "@std/assert";
import { executableParts, sizeText } from "../../src/compile/executable_size.ts";
import { withServerArchive } from "../../src/database/server_archive.ts";

const RUNTIME_BYTES = 3_000_000;
const PROGRAM_BYTES = 500_000;

/** As `deno compile` makes them: the runtime, and behind it a part that ends with its own size. */
function compiled(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(RUNTIME_BYTES + PROGRAM_BYTES);
  bytes.set(new TextEncoder().encode("d3n0l4nd"), RUNTIME_BYTES);
  new DataView(bytes.buffer).setBigUint64(bytes.length - 8, BigInt(PROGRAM_BYTES), true);
  return bytes;
}

const SERVER = {
  version: "18.4",
  async *files() {
    yield { path: "bin/postgres", bytes: new Uint8Array(2_000_000) };
    yield { path: "lib/libicudata.so.60.2", bytes: new Uint8Array(4_000_000) };
    yield { path: "share/postgresql/timezone/UTC", bytes: new Uint8Array(100_000) };
    yield { path: "lib/libicudata.so.60", linkTarget: "libicudata.so.60.2" };
  },
};

Deno.test("an executable's size is told by part, and against the budget", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, (await withServerArchive(compiled(), SERVER)).stream());
    const parts = await executableParts(path);
    const { size } = await Deno.stat(path);
    assertEquals(parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), size);
    assertEquals(
      sizeText(parts, 12_000_000),
      "   3.0 MB  Deno's runtime\n" +
        "   2.0 MB  PostgreSQL 18.4: bin\n" +
        "   4.0 MB  PostgreSQL 18.4: ICU\n" +
        "   0.1 MB  PostgreSQL 18.4: share/timezone\n" +
        "   0.5 MB  pgsluice and its npm packages\n" +
        "   9.6 MB  in all, of 12.0 MB at most\n",
    );
    await Deno.writeFile(path, compiled());
    await assertRejects(() => executableParts(path), Error, "holds no server");
  } finally {
    await Deno.remove(path);
  }
});
