import { assert, assertGreater } from "@std/assert";

Deno.test("every test that test_cases.md names is there", async () => {
  const folder = new URL(".", import.meta.url);
  const text = await Deno.readTextFile(new URL("test_cases.md", folder));
  let named = 0;
  for (const [, path, names] of text.matchAll(/([\w/]+_test\.ts): ((?:"[^"]+"(?:; )?)+)/g)) {
    const code = (await Deno.readTextFile(new URL(path!, folder))).replace(/\s+/g, " ");
    for (const [, name] of names!.matchAll(/"([^"]+)"/g)) {
      named++;
      assert(
        code.includes(name!),
        `${path} has no test "${name}"`,
      );
    }
  }
  assertGreater(named, 50);
});
