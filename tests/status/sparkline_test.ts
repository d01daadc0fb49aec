import { assertEquals } from "@std/assert";
import { sparkline } from "../../src/cli/sparkline.ts";

Deno.test("a sparkline is as high as its values, and nothing is told from little", () => {
  assertEquals(sparkline([1, 2, 3, 4, 5, 6, 7, 8]), "▁▂▃▄▅▆▇█");
  assertEquals(sparkline([0, 0.001, 1_000_000, 500_000]), " ▁█▄");
  assertEquals(sparkline([0, 0]), "  ");
  assertEquals(sparkline([]), "");
});
