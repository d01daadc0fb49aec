import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { localDisk } from "../../src/checkpoint/journal_disk.ts";
import { checkpointCheckCommand } from "../../src/cli/checkpoint_check.ts";
import { checkpointRepairCommand } from "../../src/cli/checkpoint_repair.ts";
import { checkpointShowCommand } from "../../src/cli/checkpoint_show.ts";
import type { Command } from "../../src/cli/command.ts";
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
import { runCommand } from "../support/run_command.ts";

/** A pipeline of a file, with its journal. */
interface JournalPlace {
  readonly place: IngestPlace;
  /** The pipeline's own. */
  readonly directory: string;
  readonly path: string;
  run(command: Command, ...args: readonly string[]): ReturnType<typeof runCommand>;
}

function checkpointTest(name: string, run: (place: JournalPlace) => Promise<void>): void {
  Deno.test(name, async () =>
    await withPlace(await testDatabase(), async (place) => {
      await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
      await ingestOnce(place);
      const checkpoints = join(place.home, "checkpoints");
      const directory = join(checkpoints, "default");
      await run({
        place,
        directory,
        path: join(directory, "journal.jsonl"),
        run(command, ...args) {
          const database = command === checkpointShowCommand
            ? []
            : ["--database", place.database.url];
          return runCommand(command, "--checkpoints", checkpoints, ...database, ...args);
        },
      });
    }));
}

/** What makes a journal other than it should be, how it is called, and what is said of it. */
interface Case {
  readonly kind: string;
  readonly detail: RegExp;
  readonly differing: readonly (readonly [path: string, kind: string])[];
  readonly spoil: (place: JournalPlace) => Promise<unknown>;
  /** The beginning of the name that a repair keeps it under. */
  readonly kept?: RegExp;
}

const CASES: readonly Case[] = [
  {
    kind: "behind",
    detail: /^behind the database for 1 file$/,
    differing: [["a.csv", "behind"]],
    spoil: ({ path }) => dropLines(path, 1),
  },
  {
    kind: "torn",
    detail: /^its last line is cut short; behind the database for 1 file$/,
    differing: [["a.csv", "behind"]],
    spoil: async ({ path }) => await Deno.truncate(path, (await Deno.stat(path)).size - 7),
  },
  {
    kind: "missing",
    detail: /^there is none$/,
    differing: [],
    spoil: ({ path }) => Deno.remove(path),
  },
  {
    kind: "damaged",
    detail: /^damaged: line \d+: its checksum is wrong$/,
    differing: [["a.csv", "behind"]],
    spoil: ({ path }) => edit(path, (text) => text.replace('"generation":1', '"generation":2')),
    kept: /^journal\.jsonl\.damaged-/,
  },
  {
    kind: "ahead",
    detail: /^the database lost commits that the journal knows of: 1 file, 1 byte$/,
    differing: [["a.csv", "ahead"]],
    spoil: ({ place }) =>
      place.database.sql`update pgsluice.files set committed_byte = committed_byte - 1`,
    kept: /^journal\.jsonl\.ahead-/,
  },
];

async function edit(path: string, change: (text: string) => string): Promise<void> {
  const text = await Deno.readTextFile(path);
  const changed = change(text);
  assert(changed !== text);
  await Deno.writeTextFile(path, changed);
}

/** Leaves the first lines, of which the first tells of no file. */
async function dropLines(path: string, keptCount: number): Promise<void> {
  await edit(
    path,
    (text) => text.split("\n").slice(0, keptCount).map((line) => `${line}\n`).join(""),
  );
}

async function ledgerOf({ database: { sql } }: IngestPlace): Promise<string> {
  return JSON.stringify([
    await sql`select * from pgsluice.pipelines`,
    await sql`select * from pgsluice.files`,
    await sql`select count(*)::int from user_events`,
  ]);
}

checkpointTest("checkpoint show tells what the journal says, without a database", async (at) => {
  const { exitCode, output } = await at.run(checkpointShowCommand);
  assertEquals(exitCode, 0);
  const size = csvText(eventLines(0, 10)).length;
  assertMatch(output, /^journal {2}\S+journal\.jsonl \(\d+ B\)\nstate {4}whole\nwritten {2}2/);
  assertStringIncludes(output, `source   ${at.place.events}\ntable    "user_events"\nepoch    1\n`);
  assertMatch(output, new RegExp(`\na\\.csv +1 +${size} +11\n$`));
  const json = JSON.parse((await at.run(checkpointShowCommand, "--json")).output);
  assertEquals([json.state, json.reason, json.epoch, json.pipeline], ["whole", null, 1, "default"]);
  assertEquals(json.files, [
    { path: "a.csv", generation: 1, committedByte: size, committedLine: 11, revision: 0 },
  ]);
});

checkpointTest(
  "checkpoint show tells of a torn, damaged, newer and missing journal",
  async (at) => {
    await Deno.truncate(at.path, (await Deno.stat(at.path)).size - 7);
    const torn = await at.run(checkpointShowCommand);
    assertEquals(torn.exitCode, 0);
    assertMatch(torn.output, /\nstate {4}torn: line 2 is cut short, as a crash leaves it\n/);

    await ingestOnce(at.place);
    await writeEvents(at.place, "b.csv", csvText(eventLines(10, 20)));
    await ingestOnce(at.place);
    const lines = (await Deno.readTextFile(at.path)).trimEnd().split("\n");
    await edit(at.path, (text) => text.replace(/b\.csv(?!.*b\.csv)/s, "c.csv"));
    const damaged = await at.run(checkpointShowCommand);
    assertEquals(damaged.exitCode, 3);
    assertStringIncludes(
      damaged.output,
      `\nstate    damaged: line ${lines.length}: its checksum is wrong; what is before it can be read\n`,
    );
    assertStringIncludes(damaged.output, "\na.csv ");
    const json = JSON.parse((await at.run(checkpointShowCommand, "--json")).output);
    assertEquals([json.state, json.lineCount, json.files.length], ["damaged", lines.length - 1, 1]);

    await Deno.writeTextFile(at.path, newerJournal());
    const newer = await at.run(checkpointShowCommand);
    assertEquals(newer.exitCode, 3);
    assertStringIncludes(newer.output, "newer: its format is pgsluice-journal/7");

    await Deno.remove(at.path);
    const error = await assertRejects(() => at.run(checkpointShowCommand), PgsluiceError);
    assertEquals([error.code, error.exitCode], ["no-journal", 1]);
  },
);

checkpointTest("checkpoint check of a level journal succeeds, and repair leaves it", async (at) => {
  assertEquals(await at.run(checkpointCheckCommand), {
    exitCode: 0,
    output: `journal ${at.directory}: level with the database\n`,
    live: [],
  });
  const before = await Deno.readTextFile(at.path);
  const { exitCode, output } = await at.run(checkpointRepairCommand);
  assertEquals([exitCode, output.includes("nothing to repair")], [0, true]);
  assertEquals(await Deno.readTextFile(at.path), before);
});

for (const { kind, detail, differing, spoil, kept } of CASES) {
  checkpointTest(
    `checkpoint check finds a journal that is ${kind}, repair rebuilds it`,
    async (at) => {
      await spoil(at);
      const found = await Deno.readFile(at.path).catch(() => null);
      const check = await at.run(checkpointCheckCommand);
      assertEquals(check.exitCode, 3);
      assertStringIncludes(check.output, `: ${kind}: `);
      for (const [path] of differing) assertStringIncludes(check.output, `\n${path} `);
      const json = JSON.parse((await at.run(checkpointCheckCommand, "--json")).output);
      assertEquals([json.kind, json.pipeline, json.directory], [kind, "default", at.directory]);
      assertMatch(json.detail, detail);
      assert(json.hint.length > 0);
      assertEquals(
        json.differences.map((each: { path: string; kind: string }) => [each.path, each.kind]),
        differing,
      );

      const ledger = await ledgerOf(at.place);
      const repair = JSON.parse((await at.run(checkpointRepairCommand, "--json")).output);
      assertEquals([repair.was, repair.files], [kind, 1]);
      assertEquals(await ledgerOf(at.place), ledger, "the ledger is as it was");
      if (kept === undefined) assertEquals(repair.keptAs, null);
      else {
        assertMatch(repair.keptAs, kept);
        assertEquals(await Deno.readFile(join(at.directory, repair.keptAs)), found);
      }
      assertEquals((await at.run(checkpointCheckCommand)).exitCode, 0);
      assertEquals((await ingestOnce(at.place)).journals, ["level"]);
    },
  );
}

checkpointTest("checkpoint check lists the first 20 files that differ, --json all", async (at) => {
  for (let file = 10; file < 35; file++) {
    await writeEvents(at.place, `${file}.csv`, csvText(eventLines(file * 10, file * 10 + 1)));
  }
  await ingestOnce(at.place);
  await dropLines(at.path, 1);
  const { output } = await at.run(checkpointCheckCommand);
  assertEquals(output.match(/\.csv /g)?.length, 20);
  assertStringIncludes(output, "… and 6 more; --json has all\n");
  const json = JSON.parse((await at.run(checkpointCheckCommand, "--json")).output);
  assertEquals(json.differences.length, 26);
});

checkpointTest(
  "a journal of another database is found, and repaired only once moved away",
  async (at) => {
    await at.place.database.sql`update pgsluice.pipelines set identity = gen_random_uuid()`;
    const before = await Deno.readTextFile(at.path);
    const check = await at.run(checkpointCheckCommand);
    assertEquals(check.exitCode, 3);
    assertMatch(
      check.output,
      /: other: of another pipeline than the database's: id \S+, not \S+\n/,
    );
    const error = await assertRejects(() => at.run(checkpointRepairCommand), PgsluiceError);
    assertEquals([error.code, error.exitCode], ["other-database", 1]);
    assertStringIncludes(error.hint, "move its folder away");
    assertEquals(await Deno.readTextFile(at.path), before);

    await Deno.rename(at.directory, `${at.directory}.away`);
    assertEquals((await at.run(checkpointRepairCommand)).exitCode, 0);
    assertEquals((await at.run(checkpointCheckCommand)).exitCode, 0);
  },
);

checkpointTest(
  "a journal of another source or a newer pgsluice is found and left alone",
  async (at) => {
    await at.place.database.sql`update pgsluice.pipelines set source_path = '/elsewhere'`;
    const other = await at.run(checkpointCheckCommand);
    assertEquals(other.exitCode, 3);
    assertStringIncludes(other.output, `source ${at.place.events}, not /elsewhere`);
    await Deno.writeTextFile(at.path, newerJournal());
    const newer = await at.run(checkpointCheckCommand);
    assertEquals(newer.exitCode, 3);
    assertStringIncludes(newer.output, ": newer: its format is pgsluice-journal/7");
    const error = await assertRejects(() => at.run(checkpointRepairCommand), PgsluiceError);
    assertEquals(error.code, "journal-format");
    assertEquals(await Deno.readTextFile(at.path), newerJournal());
  },
);

checkpointTest(
  "checkpoint repair leaves the journal to an ingester that is at work",
  async (at) => {
    const { heard, stop } = ingestWatching(at.place);
    await heard.until(() => heard.starts === 1);
    const before = await Deno.readTextFile(at.path);
    const owned = await assertRejects(() => at.run(checkpointRepairCommand), PgsluiceError);
    assertEquals([owned.code, owned.exitCode], ["pipeline-owned", 75]);
    assertEquals((await at.run(checkpointCheckCommand)).exitCode, 0);
    await stop();
    assertEquals(await Deno.readTextFile(at.path), before);

    // as a frozen ingester does, whose pipeline is its own no longer
    await dropLines(at.path, 1);
    const frozen = localDisk.lock(join(at.directory, "lock"))!;
    const torn = await Deno.readTextFile(at.path);
    const held = await assertRejects(() => at.run(checkpointRepairCommand), PgsluiceError);
    assertEquals([held.code, held.exitCode], ["journal-held", 75]);
    assertEquals(await Deno.readTextFile(at.path), torn);
    frozen.close();
    assertEquals((await at.run(checkpointRepairCommand)).exitCode, 0);
  },
);

checkpointTest("checkpoint check and repair of what is nowhere name it", async (at) => {
  for (const command of [checkpointCheckCommand, checkpointRepairCommand]) {
    const error = await assertRejects(() => at.run(command, "--pipeline", "shop"), PgsluiceError);
    assertEquals([error.code, error.exitCode], ["no-such-pipeline", 1]);
  }
  // a journal, but no such pipeline in the database
  await Deno.rename(at.directory, join(at.place.home, "checkpoints", "shop"));
  const { exitCode, output } = await at.run(checkpointCheckCommand, "--pipeline", "shop");
  assertEquals(exitCode, 3);
  assertStringIncludes(output, ": other: ");
});

checkpointTest(
  "checkpoint repair that cannot write says so, and leaves what is there",
  async (at) => {
    await dropLines(at.path, 1);
    const before = await Deno.readTextFile(at.path);
    await Deno.mkdir(join(at.directory, ".journal.jsonl.tmp", "full"), { recursive: true });
    const error = await assertRejects(() => at.run(checkpointRepairCommand), PgsluiceError);
    assertEquals([error.code, error.exitCode], ["journal-unwritable", 1]);
    assertEquals(await Deno.readTextFile(at.path), before);
  },
);

function newerJournal(): string {
  const body = JSON.stringify({ seq: 0, epoch: 1, format: "pgsluice-journal/7" });
  const sum = createHash("sha256").update(body).digest("hex").slice(0, 16);
  return `${body.slice(0, -1)},"sum":"${sum}"}\n`;
}
