import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import config from "../../deno.json" with { type: "json" };

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const PAGE = join(ROOT, "src/dashboard/page");

function scripts(): string[] {
  return [...Deno.readDirSync(PAGE)].map(({ name }) => name).filter((name) => name.endsWith(".js"))
    .sort();
}

Deno.test("the page's scripts are of the types they say, in a browser", async () => {
  // as deno.json has it, but with a browser's names in place of Deno's
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const lib = ["dom", "dom.iterable", "dom.asynciterable", "deno.ns"];
    const imports = {
      ...config.imports,
      [`file://${PAGE}/uPlot.esm.js`]: config.imports["uplot/uPlot.esm.js"].replace(/\/dist.*/, ""),
    };
    const { types: _, ...compilerOptions } = config.compilerOptions;
    await Deno.writeTextFile(
      file,
      JSON.stringify({
        imports,
        compilerOptions: { ...compilerOptions, lib, checkJs: true },
        lock: { path: join(ROOT, config.lock.path), frozen: true },
        unstable: config.unstable,
      }),
    );
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config", file, ...scripts().map((name) => join(PAGE, name))],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(success ? "" : new TextDecoder().decode(stderr), "");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("every script of the page is checked, and writes nothing but text", async () => {
  for (const name of scripts()) {
    const text = await Deno.readTextFile(join(PAGE, name));
    assertMatch(text, /^\/\/ @ts-check\n/, name);
    const markup = /\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b/.exec(text);
    assertEquals(markup?.[0], undefined, name);
  }
});
