import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { verifyCommand } from "../../src/cli/verify.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import {
  csvText,
  eventLine,
  eventLines,
  ingestOnce,
  type IngestPlace,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { runCommand } from "../support/run_command.ts";

function commandTest(name: string, run: (place: IngestPlace) => Promise<void>): void {
  Deno.test(name, async () => await withPlace(await testDatabase(), run));
}

commandTest(
  "verify lists the files, names the first differences, and exits with 3",
  async (place) => {
    const { sql, url } = place.database;
    const text = csvText([...eventLines(0, 3), eventLine(0)]);
    await writeEvents(place, "a.csv", text);
    await writeEvents(place, "b.csv", csvText(eventLines(3, 20)));
    await ingestOnce(place);
    const exact = await runCommand(verifyCommand, "--database", url);
    assertEquals(exact.exitCode, 0);
    const table = exact.output.split("\n").map((line) => line.trim().split(/ {2,}/));
    assertEquals(table.slice(0, 2), [
      ["file", "verdict", "size", "loaded", "rejected", "duplicates", "note"],
      ["a.csv", "exact", `${text.length} B`, "3", "0", "1"],
    ]);
    assertEquals(exact.output.split("\n").slice(3), [
      "",
      "verified: 21 events = 20 loaded + 0 rejected + 1 duplicates",
      "",
    ]);
    assertMatch(exact.live.at(-1)!, /^verifying: 2 of 2 files, .*, 100 %$/);

    await sql`update user_events set price = 1 where file_id = 2`;
    await Deno.remove(join(place.events, "a.csv"));
    const differs = await runCommand(verifyCommand, "--database", url);
    assertEquals(differs.exitCode, 3);
    const lines = differs.output.trimEnd().split("\n");
    assertEquals(lines.slice(4, 5), ["b.csv line 2, price: expected 12.50, found 1.00"]);
    assertEquals(
      lines.slice(-5),
      [
        "… and 7 more",
        "",
        "1 of the sources can no longer be read: of them only ledger and table were compared",
        "differs: 17 differences in 1 of 2 files",
      ].toSpliced(0, 0, "b.csv line 11, price: expected 12.50, found 1.00"),
    );

    const json = await runCommand(verifyCommand, "--database", url, "--json", "a.csv");
    assertEquals(json.exitCode, 0);
    const report = JSON.parse(json.output);
    assertEquals([report.summary, report.files[0].verdict, report.isExact], [
      "verified: 4 events = 3 loaded + 0 rejected + 1 duplicates",
      "source gone",
      true,
    ]);
  },
);

commandTest("verify lists of many files only those that are not exact", async (place) => {
  for (let file = 0; file < 22; file++) {
    await writeEvents(place, `f${file}.csv`, csvText([eventLine(file)]));
  }
  await writeEvents(place, "page.csv", "<html>\n");
  await ingestOnce(place);
  const { exitCode, output } = await runCommand(verifyCommand, "--database", place.database.url);
  assertEquals(exitCode, 0);
  const lines = output.trimEnd().split("\n");
  assertMatch(lines[1]!, /^page\.csv +failed +0 B/);
  assertEquals(lines.slice(2), [
    "",
    "22 files exact",
    "",
    "1 files are not loaded (1 failed)",
    "verified: 22 events = 22 loaded + 0 rejected + 0 duplicates",
  ]);
});

commandTest("verify says what is wrong with a manifest", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
  await ingestOnce(place);
  const { url } = place.database;
  const refused = async (...args: string[]) => {
    const error = await assertRejects(
      () => runCommand(verifyCommand, "--database", url, ...args),
      PgsluiceError,
    );
    return [error.code, error.exitCode];
  };
  const manifest = join(place.home, "manifest.json");
  assertEquals(await refused("--manifest", manifest), ["bad-manifest", 1]);
  assertEquals(await refused("--manifest", manifest, "a.csv"), ["usage", 2]);
  await Deno.writeTextFile(
    manifest,
    JSON.stringify({
      format: "pgsluice-manifest/1",
      seed: 1,
      start: "2026-01-01T00:00:00Z",
      files: 1,
      events: 4,
      valid: 4,
      duplicates: 0,
      defects: {},
      rejected: 0,
      priceSum: "50.00",
    }),
  );
  const { exitCode, output } = await runCommand(
    verifyCommand,
    "--database",
    url,
    "--manifest",
    manifest,
  );
  assertEquals(exitCode, 3);
  assertEquals(output.split("\n\n").slice(1), [
    "manifest, events: expected 4, found 3\n" +
    "manifest, valid events, loaded: expected 4, found 3\n" +
    "manifest, sum of prices: expected 50.00, found 37.50",
    "differs: 3 differences in the manifest\n",
  ]);
});
