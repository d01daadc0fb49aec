import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import {
  csvText,
  eventLines,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { until } from "../support/until.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

/** A process space of its own, as a container has. */
const UNSHARE = ["--pid", "--fork", "--kill-child"];

const mayUnshare = await new Deno.Command("unshare", { args: [...UNSHARE, "true"] })
  .output().then(({ success }) => success, () => false);

Deno.test({
  name:
    "as the first process of a container, SIGTERM ends an ingest with 0 (needs the right to unshare)",
  ignore: !mayUnshare,
  fn: async () =>
    await withPlace(await testDatabase(), async (place) => {
      await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
      const child = new Deno.Command("unshare", {
        args: [
          ...UNSHARE,
          Deno.execPath(),
          ...["run", "--quiet", "--no-check", "-A", MAIN, "ingest", place.events, "--quiet"],
          `--database=${place.database.url}`,
          `--checkpoints=${join(place.home, "checkpoints")}`,
        ],
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      await until("all is loaded", async () => {
        const [table] = await place.database.sql<{ exists: boolean }[]>`
          select to_regclass('pgsluice.files') is not null as exists`;
        if (!table!.exists) return false;
        const [row] = await place.database.sql<{ loaded: number }[]>`
          select coalesce(sum(loaded), 0)::int as loaded from pgsluice.files`;
        return row!.loaded === 10;
      });
      const children = await Deno.readTextFile(`/proc/${child.pid}/task/${child.pid}/children`);
      // the kernel lets the first process have only signals that it has asked for
      Deno.kill(Number(children.trim()), "SIGTERM");
      const { code, stderr } = await child.output();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      await verifyExact(place);
    }),
});
