import { assertEquals, assertThrows } from "@std/assert";
import {
  decimalOfCents,
  formatManifest,
  newManifest,
  parseManifest,
} from "../../src/generate/manifest.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";

const MANIFEST = newManifest({
  seed: 7,
  start: "2026-03-14T00:00:00.000Z",
  files: 2,
  valid: 90,
  duplicates: 7,
  defects: { short_row: 1, negative: 2 },
  priceSum: "1234.05",
});

Deno.test("a manifest adds its parts up", () => {
  assertEquals(MANIFEST.rejected, 3);
  assertEquals(MANIFEST.events, 100);
});

Deno.test("parseManifest reads what formatManifest wrote", () => {
  assertEquals(parseManifest(formatManifest(MANIFEST)), MANIFEST);
});

Deno.test("decimalOfCents writes two decimals, always", () => {
  const cases: [bigint, string][] = [
    [0n, "0.00"],
    [5n, "0.05"],
    [100n, "1.00"],
    [9_007_199_254_740_993_01n, "9007199254740993.01"],
  ];
  for (const [cents, text] of cases) assertEquals(decimalOfCents(cents), text);
});

Deno.test("parseManifest says what is wrong", () => {
  const changed = (change: Record<string, unknown>) => JSON.stringify({ ...MANIFEST, ...change });
  const cases: [text: string, message: string][] = [
    ["{", "it is not JSON"],
    ["[]", "it is not a JSON object"],
    [changed({ format: "x/2" }), `its format is "x/2", expected "pgsluice-manifest/1"`],
    [changed({ seed: -1 }), "seed is -1, expected a whole number"],
    [changed({ start: 5 }), "start is 5, expected a text"],
    [changed({ defects: null }), "defects is not an object"],
    [changed({ defects: { a: "1" } }), `a is "1", expected a whole number`],
    [changed({ valid: undefined }), "valid is undefined, expected a whole number"],
    [changed({ priceSum: "12.5" }), `priceSum is "12.5", expected an amount`],
    [changed({ rejected: 4 }), "rejected is 4, but its parts add up to 3"],
    [changed({ events: 99 }), "events is 99, but its parts add up to 100"],
  ];
  for (const [text, message] of cases) {
    const error = assertThrows(() => parseManifest(text), PgsluiceError, message);
    assertEquals(error.code, "bad-manifest");
  }
});
