import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { localDisk } from "../../src/checkpoint/journal_disk.ts";
import { statusCommand } from "../../src/cli/status.ts";
import { verifyCommand } from "../../src/cli/verify.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { readStatus } from "../../src/status/read_status.ts";
import type { JournalStatus } from "../../src/status/status_report.ts";
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
import { runCommand } from "../support/run_command.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

function runStatus(place: IngestPlace, ...args: readonly string[]) {
  const checkpoints = join(place.home, "checkpoints");
  const { url } = place.database;
  return runCommand(statusCommand, "--database", url, "--checkpoints", checkpoints, ...args);
}

async function readJournalStatus(place: IngestPlace, graceMs: number): Promise<JournalStatus> {
  const checkpointsDirectory = join(place.home, "checkpoints");
  const report = await readStatus(place.database.sql, { checkpointsDirectory, graceMs });
  return report!.pipelines[0]!.journal!;
}

function commandTest(name: string, run: (place: IngestPlace) => Promise<void>): void {
  Deno.test(name, async () => await withPlace(await testDatabase(), run));
}

commandTest(
  "status shows what is loaded and what waits, those that are not done first",
  async (place) => {
    const loaded = csvText(eventLines(0, 3));
    const waiting = csvText(eventLines(3, 5));
    await writeEvents(place, "a.csv", loaded);
    await writeEvents(place, "page.csv", "<html>\n");
    await ingestOnce(place);
    await writeEvents(place, "z.csv", waiting);
    const { exitCode, output } = await runStatus(place);
    assertEquals(exitCode, 0);
    const lines = output.trimEnd().split("\n");
    assertEquals(lines.slice(0, 3), [
      `pipeline default: ${place.events} → "user_events", time zone UTC; no ingester is running`,
      `committed  3 loaded, 0 rejected, 0 duplicates; ${loaded.length} B`,
      "files      1 done, 1 failed, 1 new",
    ]);
    assertMatch(lines[3]!.slice(11), /^1 file, [0-9]+ B, the oldest changed .+ ago$/);
    assertMatch(lines[4]!, /^last batch .+ ago; in the last minute \d+ records\/s, \d+ B\/s$/);
    assertEquals(lines[5], "batches    the last 1: 3 records on average, 2 connections");
    assertMatch(
      lines[6]!,
      /^stages {5}read .+ ms \(\d+ %\), decode .+, queue .+, copy .+, turn .+, ledger .+, commit /,
    );
    assertEquals(lines[7], "journal    level with the database");
    assertEquals(lines.slice(10).map((line) => line.split(/\s+/).slice(0, 2)), [
      ["page.csv", "failed"],
      ["z.csv", "new"],
      ["a.csv", "done"],
    ]);
    const json = JSON.parse((await runStatus(place, "--json")).output);
    assertEquals(json.pipelines[0].backlog.sizeBytes, waiting.length);
    assertEquals(json.pipelines[0].files.length, 3);
    assertEquals(json.pipelines[0].recentBatches.meanRecords, 3);
  },
);

commandTest("status works while an ingester is at work, and says so", async (place) => {
  const running = ingestWatching(place);
  await running.heard.until(() => running.heard.starts === 1);
  const { output } = await runStatus(place);
  assertMatch(output, /; an ingester is at work\n/);
  await running.stop();
  assertMatch((await runStatus(place)).output, /; no ingester is running\n/);
});

commandTest("status shows loudly that an ingester cannot write its journal", async (place) => {
  const directory = join(place.home, "checkpoints", "default");
  await Deno.mkdir(directory, { recursive: true });
  const other = localDisk.lock(join(directory, "lock"))!;
  const running = ingestWatching(place);
  await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
  await running.heard.until(() => running.heard.loaded === 3);
  const { exitCode, output } = await runStatus(place);
  assertEquals(exitCode, 0);
  assertStringIncludes(
    output,
    `\njournal    warning: unwritten in ${directory}: an ingester is at work, and does not write ` +
      "it: there is none\n           try: its log tells why; ",
  );
  other.close();
  await running.heard.until(() => running.heard.journals.includes("mended"));
  assertEquals((await readJournalStatus(place, 60_000)).kind, "level");
  await running.stop();
});

commandTest(
  "status tells of the journal of an earlier ingester as one not written",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
    await ingestOnce(place);
    const other = localDisk.lock(join(place.home, "checkpoints", "default", "lock"))!;
    const running = ingestWatching(place);
    await running.heard.until(() => running.heard.starts === 1);
    const { kind, detail } = await readJournalStatus(place, 0);
    assertEquals(kind, "unwritten");
    assertStringIncludes(detail, "it was written last under epoch 1, and the ingester's is 2");
    other.close();
    await running.stop();
    assertEquals((await readJournalStatus(place, 0)).kind, "level");
  },
);

commandTest(
  "status never calls a journal behind or ahead that an ingester is writing",
  async (place) => {
    const running = ingestWatching(place, {
      limits: { rows: 20, sizeBytes: 1e9, lingerMs: 1 },
    });
    for (let file = 0; file < 10; file++) {
      await writeEvents(place, `${file}.csv`, csvText(eventLines(file * 200, file * 200 + 200)));
      await running.heard.until(() => running.heard.loaded > file * 200);
      assertEquals((await readJournalStatus(place, 60_000)).kind, "level");
    }
    await running.stop();
  },
);

commandTest("status tells what became of a journal while no ingester runs", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
  await ingestOnce(place);
  const path = join(place.home, "checkpoints", "default", "journal.jsonl");
  const whole = await Deno.readTextFile(path);
  const kinds: string[] = [];
  const damages = [
    whole.replace("a.csv", "b.csv"),
    whole.slice(0, -9),
    whole.split("\n")[0] + "\n",
  ];
  for (const text of damages) {
    assertNotEquals(text, whole);
    await Deno.writeTextFile(path, text);
    const { output } = await runStatus(place);
    kinds.push(/\njournal {4}warning: (\w+) in /.exec(output)?.[1] ?? output);
  }
  assertEquals(kinds, ["damaged", "torn", "behind"]);
  // a pipeline of another machine has its journal there
  await place.database.sql`update pgsluice.pipelines set source_host = 'another machine'`;
  const { pipelines } = JSON.parse((await runStatus(place, "--json")).output);
  assertEquals(pipelines[0].journal, null);
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
        [verifyCommand, 1, "error: there is no database yet, so nothing to verify [no-ledger]"],
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
