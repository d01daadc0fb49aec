import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { FolderWatch } from "../../src/source/folder_watch.ts";

Deno.test("the watch names a file that was renamed into the folder, and no temporary one", async () => {
  const folder = await Deno.makeTempDir();
  let wake = () => {};
  const watch = new FolderWatch(folder, { onNews: () => wake() });
  try {
    const named = new Set<string>();
    const arrived = new Promise<void>((resolve) => {
      wake = () => {
        for (const path of watch.take() ?? []) named.add(path);
        if (named.has("events.csv")) resolve();
      };
    });
    await Deno.writeTextFile(join(folder, ".events.csv.tmp"), "x");
    await Deno.rename(join(folder, ".events.csv.tmp"), join(folder, "events.csv"));
    await arrived;
    assertEquals([...named], ["events.csv"]);
  } finally {
    watch.close();
    await Deno.remove(folder, { recursive: true });
  }
});
