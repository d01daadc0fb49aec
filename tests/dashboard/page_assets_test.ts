import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { PAGE_ASSETS, PAGE_TAG } from "../../src/dashboard/page_assets.ts";

const PAGE = fromFileUrl(new URL("../../src/dashboard/page", import.meta.url));

function body(path: string): string {
  const asset = PAGE_ASSETS.get(path);
  assert(asset !== undefined, path);
  return asset.body;
}

Deno.test("every file of the page is served, as what it is", async () => {
  const names = [...Deno.readDirSync(PAGE)].map(({ name }) => name);
  assertGreater(names.length, 30);
  for (const name of names) {
    const text = await Deno.readTextFile(join(PAGE, name));
    const path = name === "index.html" ? "/" : `/${name}`;
    assertEquals(body(path), text.replace("@PAGE_TAG@", PAGE_TAG), name);
  }
  assertEquals(PAGE_ASSETS.size, names.length + 2);
  const types = [...PAGE_ASSETS].map(([path, { contentType }]) =>
    `${path.split(".").at(-1)} ${contentType}`
  );
  assertEquals([...new Set(types)].sort(), [
    "/ text/html; charset=utf-8",
    "css text/css; charset=utf-8",
    "js text/javascript; charset=utf-8",
    "svg image/svg+xml",
  ]);
});

Deno.test("what the page and its scripts load is served with them, and nothing else is", () => {
  const loaded = new Set(["/"]);
  for (const path of loaded) {
    const text = body(path);
    const named = path === "/"
      ? [...text.matchAll(/(?:href|src)="(\/[^"]+)"/g)].map(([, each]) => each!)
      : path.endsWith(".js")
      ? [...text.matchAll(/^(?:import|export) [^;]*?"\.(\/[^"]+)";/gm)].map(([, each]) => each!)
      : [];
    for (const each of named) loaded.add(each);
  }
  assertEquals([...loaded].sort(), [...PAGE_ASSETS.keys()].sort());
});

Deno.test("the page keeps to its policy: no script, style or handler stands in the markup", () => {
  const page = body("/");
  assertEquals(/<style|\sstyle=|\son[a-z]+=|javascript:|https?:/i.exec(page)?.[0], undefined);
  assertEquals(/<script(?![^>]*\ssrc=)/.exec(page), null);
  for (const [path, { body }] of PAGE_ASSETS) {
    if (!path.endsWith(".css")) continue;
    assertEquals(/@import|url\(/.exec(body)?.[0], undefined, path);
  }
  assertMatch(page, new RegExp(`<html lang="en" data-page-tag="${PAGE_TAG}">`));
  assertMatch(PAGE_TAG, /^[0-9a-f]{16}$/);
});

type Palette = ReadonlyMap<string, string>;

/** Custom properties of the rule that begins with `selector`. */
function palette(selector: string): Palette {
  const css = body("/colours.css");
  const from = css.indexOf(`${selector} {`);
  assert(from >= 0, selector);
  const rule = css.slice(from, css.indexOf("}", from));
  return new Map([...rule.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [
    name!,
    value!,
  ]));
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const part = parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const LIGHT = palette(":root");
const DARK = palette(`:root[data-theme="dark"]`);

Deno.test("a dark page is of the same colours, whether chosen or the system's", () => {
  assertEquals(palette(`:root:not([data-theme="light"])`), DARK);
  assertEquals([...DARK.keys()], [...LIGHT.keys()]);
});

for (const [theme, colours] of Object.entries({ light: LIGHT, dark: DARK })) {
  Deno.test(`text and graphics of the ${theme} page can be told from their ground`, () => {
    const pairs: [string, string, number][] = [
      ...["text", "muted", "link", "good", "warn", "bad"].flatMap((ink) =>
        ["card", "ground"].map((ground): [string, string, number] => [ink, ground, 4.5])
      ),
      ["text", "sunk", 4.5],
      ["muted", "calm-soft", 4.5],
      ["good", "good-soft", 4.5],
      ["warn", "warn-soft", 4.5],
      ["bad", "bad-soft", 4.5],
      ["text", "bad-soft", 4.5],
      ["text", "warn-soft", 4.5],
      ["mark-text", "mark", 4.5],
      ...["views", "purchases", "money", "flow", "bad", "focus"].map((
        graphic,
      ): [string, string, number] => [graphic, "card", 3]),
      ...[0, 1, 2, 3, 4, 5, 6].map((stage): [string, string, number] => [
        `stage-${stage}`,
        "card",
        3,
      ]),
    ];
    const weak = pairs
      .map(([ink, ground, least]) => ({
        pair: `${ink} on ${ground}`,
        ratio: contrast(colours.get(ink)!, colours.get(ground)!),
        least,
      }))
      .filter(({ ratio, least }) => ratio < least);
    assertEquals(weak, []);
  });
}

Deno.test("views and purchases differ for those who see no red or no green as well", () => {
  // Viénot, Brettel and Mollon, "Digital video colourmaps for checking the legibility of displays
  // by dichromats" (1999), on linear light
  const kinds = {
    protan: [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    deutan: [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
  };
  const linear = (colour: string) =>
    [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  for (const colours of [LIGHT, DARK]) {
    const [views, purchases] = ["views", "purchases"].map((name) => linear(colours.get(name)!));
    for (const [kind, matrix] of Object.entries(kinds)) {
      const seen = (colour: readonly number[]) =>
        matrix.map((row) => row.reduce((sum, factor, at) => sum + factor * colour[at]!, 0));
      const [a, b] = [seen(views!), seen(purchases!)] as [number[], number[]];
      const distance = Math.hypot(...a.map((value, at) => value - b[at]!));
      assertGreater(distance, 0.3, kind);
    }
  }
});
