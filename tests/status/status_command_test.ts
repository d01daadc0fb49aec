import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { statusCommand } from "../../src/cli/status.ts";
import { verifyCommand } from "../../src/cli/verify.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import {
  csvText,
  eventLines,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { runCommand } from "../verify/run_command.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

function commandTest(name: string, run: (place: IngestPlace) => Promise<void>): void {
  Deno.test(name, async () => await withPlace(await testDatabase(), run));
}

commandTest(
  "status shows what is loaded and what waits, those that are not done first",
  async (place) => {
    const { url } = place.database;
    const loaded = csvText(eventLines(0, 3));
    const waiting = csvText(eventLines(3, 5));
    await writeEvents(place, "a.csv", loaded);
    await writeEvents(place, "page.csv", "<html>\n");
    await ingestOnce(place);
    await writeEvents(place, "z.csv", waiting);
    const { exitCode, output } = await runCommand(statusCommand, "--database", url);
    assertEquals(exitCode, 0);
    const lines = output.trimEnd().split("\n");
    assertEquals(lines.slice(0, 3), [
      `pipeline default: ${place.events} → "user_events", time zone UTC; no ingester is running`,
      `committed  3 loaded, 0 rejected, 0 duplicates; ${loaded.length} B`,
      "files      1 done, 1 failed, 1 new",
    ]);
    assertMatch(lines[3]!.slice(11), /^1 file, [0-9]+ B, the oldest changed .+ ago$/);
    assertMatch(lines[4]!, /^last batch .+ ago; in the last minute \d+ records\/s, \d+ B\/s$/);
    assertEquals(lines.slice(7).map((line) => line.split(/\s+/).slice(0, 2)), [
      ["page.csv", "failed"],
      ["z.csv", "new"],
      ["a.csv", "done"],
    ]);
    const json = JSON.parse((await runCommand(statusCommand, "--database", url, "--json")).output);
    assertEquals(json.pipelines[0].backlog.sizeBytes, waiting.length);
    assertEquals(json.pipelines[0].files.length, 3);
  },
);

commandTest("status works while an ingester is at work, and says so", async (place) => {
  const { url } = place.database;
  const running = ingestWatching(place);
  await running.heard.until(() => running.heard.starts === 1);
  const { output } = await runCommand(statusCommand, "--database", url);
  assertMatch(output, /; an ingester is at work\n/);
  await running.stop();
  assertMatch(
    (await runCommand(statusCommand, "--database", url)).output,
    /; no ingester is running\n/,
  );
});

commandTest(
  "status of a database without pipelines is no error, but one asked for is",
  async (place) => {
    const { url } = place.database;
    const nothing = await runCommand(statusCommand, "--database", url);
    assertEquals(nothing, {
      exitCode: 0,
      output: "nothing is loaded yet: start with `pgsluice ingest`\n",
      live: [],
    });
    const error = await assertRejects(
      () => runCommand(statusCommand, "--database", url, "--pipeline", "shop"),
      PgsluiceError,
    );
    assertEquals([error.code, error.exitCode], ["no-such-pipeline", 1]);
  },
);

Deno.test("status and verify make no embedded server where there is none", async () => {
  const home = await Deno.makeTempDir();
  try {
    for (
      const [command, code, text] of [
        [statusCommand, 0, "nothing is loaded yet: start with `pgsluice ingest`"],
        [verifyCommand, 1, "error: there is no database yet, so nothing to verify"],
      ] as const
    ) {
      const env = Object.fromEntries(
        ["DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"]
          .map((name) => [name, ""]),
      );
      const result = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-check", "-A", MAIN, command.name],
        env: { ...env, PGSLUICE_HOME: home, NO_COLOR: "1" },
      }).output();
      const said = new TextDecoder().decode(result.stdout) +
        new TextDecoder().decode(result.stderr);
      assertEquals([result.code, said.split("\n")[0]], [code, text]);
    }
    assertEquals([...Deno.readDirSync(home)], []);
    assertEquals(await Deno.stat(join(home, "data")).catch(() => "absent"), "absent");
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
