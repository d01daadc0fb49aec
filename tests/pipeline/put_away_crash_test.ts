import { assertEquals } from "@std/assert";
import { basename, join } from "@std/path";
import type { AfterLoad } from "../../src/pipeline/ingest_options.ts";
import type { ProbePoint } from "../../src/probe.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  folderSource,
  ingestOnce,
  type IngestPlace,
  verifyExact,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { keylessCsv, keylessLines } from "../support/keyless_csv.ts";
import { ledgerFile, rowCount } from "../support/ledger_files.ts";
import type { KilledAt } from "./killed_at.ts";

const SCRIPT = new URL("./killed_at.ts", import.meta.url).pathname;

type Kind = "archive" | "delete";

/** Where the crash falls; the file is then under its new name, or still under its own. */
const CRASHES: readonly { point: ProbePoint; kinds: readonly Kind[] }[] = [
  { point: "file.move", kinds: ["archive", "delete"] },
  { point: "file.moved", kinds: ["archive", "delete"] },
  { point: "file.delete", kinds: ["delete"] },
];

for (const { point, kinds } of CRASHES) {
  for (const kind of kinds) {
    for (const meddling of ["nothing", "grow", "replace"] as const) {
      ingestCase(
        `killed at ${point} of an ${kind}, then ${meddling}: the next start loses nothing`,
        async (place) => {
          const after = await afterOf(place, kind);
          const lines = keylessLines(0, 9);
          await writeEvents(place, "a.csv", keylessCsv(lines.slice(0, 5)));
          await killAt(place, { after, point });
          const before = await ledgerFile(place, "a.csv");
          assertEquals([before.loaded, before.isArchived, before.isDeleted], [5, false, false]);
          const more = lines.slice(5);
          if (meddling === "grow") {
            const path = point === "file.move" ? join(place.events, "a.csv") : before.archivedPath!;
            await Deno.writeTextFile(path, more.join("\n") + "\n", { append: true, create: false });
          } else if (meddling === "replace") {
            await writeEvents(place, "a.csv", keylessCsv(more));
          }
          const heard = await ingestOnce(place, { source: folderSource(place, { after }) });
          if (meddling === "replace" && point === "file.move") {
            // it was replaced before it was archived
            assertEquals((await ledgerFile(place, "a.csv")).state, "held");
            assertEquals(await namesIn(place.events), ["a.csv"]);
            return;
          }
          assertEquals(heard.loaded, meddling === "nothing" ? 0 : 4);
          assertEquals(heard.troubles, []);
          assertEquals(await namesIn(place.events), []);
          if (after.kind === "archive") {
            const expected = meddling === "replace" ? ["a.g1.csv", "a.g2.csv"] : ["a.g1.csv"];
            assertEquals(await namesIn(after.directory), expected);
            const { archivedPath } = await ledgerFile(place, "a.csv");
            assertEquals(basename(archivedPath!), expected.at(-1));
          }
          assertEquals(await rowCount(place), meddling === "nothing" ? 5 : 9);
          await verifyExact(place);
        },
      );
    }
  }
}

ingestCase(
  "a delete that a crash cut short is undone if files are to be kept now",
  async (place) => {
    await writeEvents(place, "a.csv", keylessCsv(keylessLines(0, 5)));
    await killAt(place, { after: { kind: "delete" }, point: "file.moved" });
    assertEquals((await namesIn(place.events)).length, 1, "under a hidden name");
    const heard = await ingestOnce(place);
    assertEquals(heard.loaded, 0);
    assertEquals(await namesIn(place.events), ["a.csv"]);
    await verifyExact(place);
  },
);

ingestCase("a delete that was done when the crash came is known to be one", async (place) => {
  const after = { kind: "delete" } as const;
  await writeEvents(place, "a.csv", keylessCsv(keylessLines(0, 5)));
  await killAt(place, { after, point: "file.delete" });
  await Deno.remove((await ledgerFile(place, "a.csv")).archivedPath!);
  await ingestOnce(place);
  assertEquals((await ledgerFile(place, "a.csv")).isDeleted, true);
  await writeEvents(place, "a.csv", keylessCsv(keylessLines(5, 8)));
  assertEquals((await ingestOnce(place)).loaded, 3, "other bytes are a generation more");
  await verifyExact(place);
});

async function afterOf(place: IngestPlace, kind: Kind): Promise<AfterLoad> {
  if (kind === "delete") return { kind };
  const directory = join(place.home, "archive");
  await Deno.mkdir(directory);
  return { kind, directory };
}

async function killAt(
  place: IngestPlace,
  { after, point }: { after: AfterLoad; point: ProbePoint },
): Promise<void> {
  const { home, events, database: { url } } = place;
  const options: KilledAt = { url, home, events, after, point };
  const { signal } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", SCRIPT, JSON.stringify(options)],
    stdout: "null",
    stderr: "inherit",
  }).output();
  assertEquals(signal, "SIGKILL");
}

async function namesIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) names.push(name);
  return names.sort();
}
