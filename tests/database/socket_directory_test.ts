import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { socketDirectory } from "../../src/database/socket_directory.ts";

const NOTHING = () => undefined;

Deno.test("a socket lies in the server's home where its path is short enough", async () => {
  assertEquals(
    await socketDirectory("/home/ann/data/postgres", NOTHING),
    "/home/ann/data/postgres/socket",
  );
  // "/socket/.s.PGSQL.5432" is 21 bytes of 107.
  const longest = `/${"x".repeat(107 - 21 - 1)}`;
  assertEquals(await socketDirectory(longest, NOTHING), `${longest}/socket`);
  assertMatch(await socketDirectory(`${longest}x`, NOTHING), /^\/tmp\/pgsluice-[0-9a-f]{16}$/);
});

Deno.test("a socket of a home with odd letters lies elsewhere, each home's in its own folder", async () => {
  const one = await socketDirectory("/home/ann/my data", NOTHING);
  assertMatch(one, /^\/tmp\/pgsluice-[0-9a-f]{16}$/);
  assertEquals(await socketDirectory("/home/ann/my data", NOTHING), one);
  assertNotEquals(await socketDirectory("/home/bob/my data", NOTHING), one);
});

Deno.test({
  name: "a socket lies in XDG_RUNTIME_DIR rather than /tmp, but not root's",
  fn: async () => {
    const directory = await socketDirectory("/home/ann/my data", () => "/run/user/1000");
    const expected = Deno.uid() === 0 ? /^\/tmp\/pgsluice-/ : /^\/run\/user\/1000\/pgsluice-/;
    assertMatch(directory, expected);
  },
});
