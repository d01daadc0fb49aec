import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { filesAcceptCommand } from "../../src/cli/files_accept.ts";
import { filesListCommand } from "../../src/cli/files_list.ts";
import { filesReloadCommand } from "../../src/cli/files_reload.ts";
import { filesUndoCommand } from "../../src/cli/files_undo.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import {
  csvText,
  eventLine,
  eventLines,
  folderSource,
  HEADER,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { runCommand } from "../support/run_command.ts";
import { testDatabase } from "../support/test_database.ts";
import { until } from "../support/until.ts";

function filesTest(name: string, run: (place: IngestPlace) => Promise<void>): void {
  Deno.test(name, async () => await withPlace(await testDatabase(), run));
}

async function states(place: IngestPlace) {
  const rows = await place.database.sql<
    { path: string; generation: number; state: string; counts: string }[]
  >`
    select path, generation, state, concat_ws('/', loaded, rejected, duplicate) as counts
    from pgsluice.files
    order by path, generation`;
  return rows.map(({ path, generation, state, counts }) =>
    `${path}@${generation} ${state} ${counts}`
  );
}

async function rows(place: IngestPlace, where = "true"): Promise<number> {
  const [row] = await place.database.sql.unsafe<{ count: number }[]>(
    `select count(*)::int as count from user_events where ${where}`,
  );
  return row!.count;
}

const NO_KEY_HEADER = HEADER.split(",").slice(1).join(",");

/** Lines without event_id. */
function keylessText(from: number, until: number, price = "12.50"): string {
  const lines = Array.from(
    { length: until - from },
    (_, index) => eventLine(from + index, { price }).split(",").slice(1).join(","),
  );
  return [NO_KEY_HEADER, ...lines].map((line) => line + "\n").join("");
}

filesTest(
  "undo takes a file's rows out, and it is not loaded again until it is reloaded",
  async (place) => {
    const { url } = place.database;
    await writeEvents(place, "a.csv", csvText([...eventLines(0, 10), eventLine(0), "broken"]));
    await writeEvents(place, "b.csv", csvText(eventLines(100, 105)));
    await ingestOnce(place);
    const undone = await runCommand(filesUndoCommand, "a.csv", "--database", url, "--json");
    assertEquals(JSON.parse(undone.output).undone, [
      { path: "a.csv", generation: 1, loaded: 10, rejected: 1, duplicate: 1, readAgain: 0 },
    ]);
    assertEquals(await rows(place), 5);
    assertEquals(await states(place), ["a.csv@1 undone 0/0/0", "b.csv@1 done 5/0/0"]);
    await verifyExact(place);
    // neither a start nor a change brings it back
    await Deno.writeTextFile(join(place.events, "a.csv"), eventLine(50) + "\n", { append: true });
    assertEquals((await ingestOnce(place)).loaded, 0);
    assertEquals(await rows(place), 5);
    const error = await assertRejects(
      () => runCommand(filesUndoCommand, "a.csv", "--database", url),
      PgsluiceError,
    );
    assertEquals(error.code, "nothing-to-undo");
    await runCommand(filesReloadCommand, "a.csv", "--database", url);
    assertEquals(await states(place), [
      "a.csv@1 superseded 0/0/0",
      "a.csv@2 done 11/1/1",
      "b.csv@1 done 5/0/0",
    ]);
    await verifyExact(place);
  },
);

filesTest(
  "whatever was a duplicate of undone rows, or in conflict with them, is read again",
  async (place) => {
    const { url } = place.database;
    await writeEvents(place, "a.csv", csvText(eventLines(0, 4)));
    await ingestOnce(place);
    await writeEvents(
      place,
      "b.csv",
      csvText([eventLine(0), eventLine(0), eventLine(1, { price: "9.00" }), eventLine(200)]),
    );
    await ingestOnce(place);
    await writeEvents(place, "c.csv", csvText([eventLine(1), eventLine(2), eventLine(1)]));
    await ingestOnce(place);
    assertEquals(await states(place), [
      "a.csv@1 done 4/0/0",
      "b.csv@1 done 1/1/2",
      "c.csv@1 done 0/0/3",
    ]);
    const undone = await runCommand(filesUndoCommand, "a.csv", "--database", url, "--json");
    assertEquals(JSON.parse(undone.output).undone[0].readAgain, 6);
    // event 1 is that of b.csv now, so that both of c.csv's are in conflict with it
    assertEquals(await states(place), [
      "a.csv@1 undone 0/0/0",
      "b.csv@1 done 3/0/1",
      "c.csv@1 done 1/2/0",
    ]);
    await verifyExact(place);
  },
);

filesTest(
  "undo is refused if what would have to be read again is gone, and names it",
  async (place) => {
    const { url } = place.database;
    await writeEvents(place, "a.csv", csvText(eventLines(0, 4)));
    await ingestOnce(place);
    await writeEvents(place, "b.csv", csvText([eventLine(0), eventLine(9)]));
    await ingestOnce(place);
    const before = await states(place);
    await Deno.rename(join(place.events, "b.csv"), join(place.home, "b.csv"));
    for (const command of [filesUndoCommand, filesReloadCommand]) {
      // reload puts event 0 back, so that b.csv is not needed for it
      if (command === filesReloadCommand) break;
      const error = await assertRejects(
        () => runCommand(command, "a.csv", "--database", url),
        PgsluiceError,
      );
      assertEquals(error.code, "waiting-source-gone");
      assertStringIncludes(error.message, "b.csv");
      assertEquals(error.exitCode, 3);
    }
    assertEquals(await states(place), before);
    await verifyExact(place);
    await Deno.writeTextFile(join(place.events, "b.csv"), csvText([eventLine(7), eventLine(9)]));
    const error = await assertRejects(
      () => runCommand(filesUndoCommand, "a.csv", "--database", url),
      PgsluiceError,
    );
    assertStringIncludes(error.message, "line 2 of b.csv");
    assertEquals(await states(place), before);
  },
);

filesTest(
  "a file that was the same as one that is undone is loaded in its place",
  async (place) => {
    const { url } = place.database;
    await writeEvents(place, "a.csv", csvText(eventLines(0, 6)));
    await ingestOnce(place);
    await writeEvents(place, "copy.csv", csvText(eventLines(0, 6)));
    await ingestOnce(place);
    assertEquals((await states(place))[1], "copy.csv@1 same 0/0/0");
    await runCommand(filesUndoCommand, "a.csv", "--database", url);
    await ingestOnce(place);
    assertEquals(await states(place), ["a.csv@1 undone 0/0/0", "copy.csv@1 done 6/0/0"]);
    await verifyExact(place);
  },
);

filesTest("reload puts new rows in the place of old ones, in one transaction", async (place) => {
  const { url, sql } = place.database;
  await writeEvents(place, "a.csv", keylessText(0, 50));
  await ingestOnce(place);
  await writeEvents(place, "a.csv", keylessText(0, 60, "3.00"));
  const heard = await ingestOnce(place);
  assertEquals(heard.troubles.map(({ state }) => state), ["held"]);
  assertEquals(await rows(place, "price = 12.50"), 50);
  await runCommand(filesReloadCommand, "a.csv", "--database", url);
  assertEquals([await rows(place), await rows(place, "price = 3.00")], [60, 60]);
  assertEquals(await states(place), ["a.csv@1 superseded 0/0/0", "a.csv@2 done 60/0/0"]);
  const [one] = await sql`
    select count(distinct xmin::text)::int as transactions from user_events`;
  assertEquals(one!.transactions, 1);
  await verifyExact(place);
  assertEquals((await ingestOnce(place)).loaded, 0);
});

filesTest("reload --all reloads every file, and reports those that are gone", async (place) => {
  const { url } = place.database;
  for (const name of ["a.csv", "b.csv", "c.csv"]) {
    await writeEvents(
      place,
      name,
      csvText(eventLines(name.charCodeAt(0) * 100, name.charCodeAt(0) * 100 + 30)),
    );
  }
  await ingestOnce(place);
  await Deno.remove(join(place.events, "b.csv"));
  const run = await runCommand(filesReloadCommand, "--all", "--database", url, "--json");
  assertEquals(run.exitCode, 3);
  const report = JSON.parse(run.output);
  assertEquals(
    report.reloaded.map(({ path, loaded }: { path: string; loaded: number }) => [path, loaded]),
    [["a.csv", 30], ["c.csv", 30]],
  );
  assertEquals(report.failed, [{ path: "b.csv", reason: "the file is no longer there" }]);
  assertEquals(await rows(place), 90);
  await verifyExact(place);
});

filesTest("a file that is no CSV any more is not reloaded, and its rows stay", async (place) => {
  const { url } = place.database;
  await writeEvents(place, "a.csv", csvText(eventLines(0, 5)));
  await ingestOnce(place);
  await writeEvents(place, "a.csv", "<html>gone</html>\n");
  const run = await runCommand(filesReloadCommand, "a.csv", "--database", url, "--json");
  assertEquals(run.exitCode, 3);
  assertEquals(await rows(place), 5);
  assertEquals(await states(place), ["a.csv@1 done 5/0/0"]);
});

filesTest("accept loads a held file in addition to what it held before", async (place) => {
  const { url } = place.database;
  await writeEvents(place, "a.csv", keylessText(0, 5));
  await ingestOnce(place);
  await writeEvents(place, "a.csv", keylessText(10, 13));
  await ingestOnce(place);
  await runCommand(filesAcceptCommand, "a.csv", "--database", url);
  assertEquals((await ingestOnce(place)).loaded, 3);
  assertEquals(await states(place), ["a.csv@1 superseded 5/0/0", "a.csv@2 done 3/0/0"]);
  await verifyExact(place);
  const error = await assertRejects(
    () => runCommand(filesAcceptCommand, "a.csv", "--database", url),
    PgsluiceError,
  );
  assertEquals(error.code, "nothing-to-accept");
});

filesTest("a running ingester goes on with what a command changed", async (place) => {
  const { url } = place.database;
  const { heard, stop } = ingestWatching(place);
  await writeEvents(place, "a.csv", csvText(eventLines(0, 5)));
  await writeEvents(place, "b.csv", keylessText(0, 5));
  await heard.until(() => heard.loaded === 10);
  await writeEvents(place, "b.csv", keylessText(20, 27));
  await heard.until(() => heard.troubles.some(({ state }) => state === "held"));
  await runCommand(filesUndoCommand, "a.csv", "--database", url);
  await runCommand(filesAcceptCommand, "b.csv", "--database", url);
  await heard.until(() => heard.loaded === 17);
  await runCommand(filesReloadCommand, "a.csv", "--database", url);
  await Deno.writeTextFile(join(place.events, "a.csv"), eventLine(70) + "\n", { append: true });
  await heard.until(() => heard.loaded === 18);
  await stop();
  assertEquals(await states(place), [
    "a.csv@1 superseded 0/0/0",
    "a.csv@2 done 6/0/0",
    "b.csv@1 superseded 5/0/0",
    "b.csv@2 done 7/0/0",
  ]);
  await verifyExact(place);
});

filesTest("reloads and undos while batches load the same keys lose nothing", async (place) => {
  const { url } = place.database;
  await writeEvents(place, "a.csv", csvText(eventLines(0, 400)));
  await ingestOnce(place);
  const { stop } = ingestWatching(place, {
    limits: { rows: 40, sizeBytes: 1e9, lingerMs: 1 },
    connections: 3,
  });
  // every other file repeats what a.csv has
  for (let file = 0; file < 12; file++) {
    const lines = file % 2 === 0
      ? eventLines(0, 200)
      : eventLines(1_000 * file, 1_000 * file + 200);
    await writeEvents(place, `f${file}.csv`, csvText([...lines, eventLine(50_000 + file)]));
    const command = file % 3 === 0 ? filesReloadCommand : file % 3 === 1 ? filesUndoCommand : null;
    if (command !== null) {
      const run = runCommand(command, "a.csv", "--database", url);
      await run.catch((error) => {
        if (!(error instanceof PgsluiceError) || error.code !== "nothing-to-undo") throw error;
      });
    }
  }
  // of a batch that commits while its session ends nothing is heard: the ledger is asked
  await until("all files are done", async () => {
    const [row] = await place.database.sql<{ count: number }[]>`
      select count(*)::int as count from pgsluice.files where path like 'f%' and state = 'done'`;
    return row!.count === 12;
  });
  await stop();
  await ingestOnce(place);
  await verifyExact(place);
  const [row] = await place.database.sql<{ count: number }[]>`
    select count(*)::int as count from user_events where user_id <= 200`;
  assertEquals(row!.count, 200);
});

filesTest("a file that was archived is reloaded from where it is now", async (place) => {
  const { url } = place.database;
  const archive = join(place.home, "archive");
  await Deno.mkdir(archive);
  await writeEvents(place, "a.csv", csvText(eventLines(0, 8)));
  await ingestOnce(place, {
    source: folderSource(place, { after: { kind: "archive", directory: archive } }),
  });
  await assertRejects(() => Deno.stat(join(place.events, "a.csv")), Deno.errors.NotFound);
  const run = await runCommand(filesReloadCommand, "a.csv", "--database", url);
  assertEquals(run.exitCode, 0);
  assertEquals(await states(place), ["a.csv@1 superseded 0/0/0", "a.csv@2 done 8/0/0"]);
  await verifyExact(place);
});

filesTest(
  "a database that lost an undo is noticed, and what it has is what counts",
  async (place) => {
    const { url, sql } = place.database;
    await writeEvents(place, "a.csv", csvText(eventLines(0, 8)));
    await ingestOnce(place);
    await sql`create table rows_before as select * from user_events`;
    await sql`create table files_before as select * from pgsluice.files`;
    await sql`create table deltas_before as select * from pgsluice.minute_deltas`;
    await runCommand(filesUndoCommand, "a.csv", "--database", url);
    await ingestOnce(place);
    // as after a failover to a server that had not heard of it
    await sql`insert into user_events select * from rows_before`;
    await sql`truncate pgsluice.minute_deltas`;
    await sql`insert into pgsluice.minute_deltas select * from deltas_before`;
    await sql`
    update pgsluice.files f
    set state = b.state, reason = b.reason, revision = b.revision, loaded = b.loaded
    from files_before b
    where b.file_id = f.file_id`;
    const heard = await ingestOnce(place);
    assertEquals(heard.journals, ["ahead"]);
    assertEquals([heard.loaded, await rows(place)], [0, 8]);
    await verifyExact(place);
  },
);

filesTest("files list shows every generation with its state and counts", async (place) => {
  const { url } = place.database;
  await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
  await writeEvents(place, "b.csv", "no header of ours\n");
  await ingestOnce(place);
  const all = await runCommand(filesListCommand, "--database", url);
  assertStringIncludes(all.output, "a.csv");
  assertStringIncludes(all.output, "failed");
  const failed = await runCommand(
    filesListCommand,
    "--state",
    "failed",
    "--json",
    "--database",
    url,
  );
  const { files } = JSON.parse(failed.output);
  assertEquals(files.length, 1);
  assertEquals([files[0].path, files[0].state, files[0].loaded], ["b.csv", "failed", 0]);
  assert(files[0].reason.startsWith("not_csv"), files[0].reason);
});

filesTest(
  "the last record is not taken back while what waits for its row is gone",
  async (place) => {
    const unterminated = csvText(eventLines(0, 2)) + eventLine(2);
    await writeEvents(place, "a.csv", unterminated);
    await ingestOnce(place);
    await writeEvents(place, "b.csv", csvText([eventLine(2), eventLine(30)]));
    await ingestOnce(place);
    await Deno.rename(join(place.events, "b.csv"), join(place.home, "b.csv"));
    await Deno.writeTextFile(join(place.events, "a.csv"), "3\n" + eventLine(3) + "\n", {
      append: true,
    });
    const heard = await ingestOnce(place);
    assertEquals(heard.troubles.map(({ path, state }) => [path, state]), [["a.csv", "held"]]);
    assertStringIncludes(heard.troubles[0]!.reason, "b.csv");
    assertEquals(await rows(place), 4);
    // back again, and the file is looked at when it changes
    await Deno.rename(join(place.home, "b.csv"), join(place.events, "b.csv"));
    await Deno.writeTextFile(join(place.events, "a.csv"), eventLine(4) + "\n", { append: true });
    await ingestOnce(place, { source: folderSource(place) });
    // the whole last record has another quantity, so b.csv's is the one that stands
    assertEquals(await states(place), ["a.csv@1 done 4/1/0", "b.csv@1 done 2/0/0"]);
    await verifyExact(place);
  },
);
