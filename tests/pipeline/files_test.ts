import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import type { ProbePoint } from "../../src/probe.ts";
import { ingestCase } from "../support/ingest_case.ts";
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
  writeEvents,
} from "../support/ingest_fixture.ts";
import { keylessCsv, keylessLine } from "../support/keyless_csv.ts";
import { ledgerFile, ledgerFiles, rowCount } from "../support/ledger_files.ts";
import { until } from "../support/until.ts";

/** 100000 for the run that the README quotes. */
const SMALL_FILES = Number(Deno.env.get("PGSLUICE_TEST_SMALL_FILES") ?? 2_000);

/** Writes, and makes the folders above. */
async function writeBelow(place: IngestPlace, path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(join(place.events, path)), { recursive: true });
  await Deno.writeTextFile(join(place.events, path), text);
}

function recursively(place: IngestPlace, change: { once?: boolean } = {}) {
  return { source: folderSource(place, { recursive: true, ...change }) };
}

ingestCase("folders below are taken with --recursive only, hidden ones never", async (place) => {
  const paths = ["a.csv", "2026/03/14/a.csv", "2026/03/15/a.csv", ".git/a.csv", "2026/_tmp/a.csv"];
  for (const [index, path] of paths.entries()) {
    await writeBelow(place, path, csvText([eventLine(index)]));
  }
  await ingestOnce(place);
  assertEquals((await ledgerFiles(place)).map(({ path }) => path), ["a.csv"]);
  await ingestOnce(place, recursively(place));
  assertEquals((await ledgerFiles(place)).map(({ path }) => path), [
    "2026/03/14/a.csv",
    "2026/03/15/a.csv",
    "a.csv",
  ]);
  await verifyExact(place);
});

ingestCase("symbolic links are not followed, to files or to folders", async (place) => {
  const outside = join(place.home, "outside");
  await Deno.mkdir(outside);
  await Deno.writeTextFile(join(outside, "a.csv"), csvText([eventLine(0)]));
  await Deno.symlink(outside, join(place.events, "folder"));
  await Deno.symlink(join(outside, "a.csv"), join(place.events, "file.csv"));
  await writeBelow(place, "real/b.csv", csvText([eventLine(1)]));
  const { heard, stop } = ingestWatching(place, recursively(place, { once: false }));
  await heard.until(() => heard.loaded === 1);
  await Deno.writeTextFile(join(outside, "c.csv"), csvText([eventLine(2)]));
  await writeBelow(place, "real/d.csv", csvText([eventLine(3)]));
  await heard.until(() => heard.loaded === 2);
  await stop();
  assertEquals((await ledgerFiles(place)).map(({ path }) => path), ["real/b.csv", "real/d.csv"]);
  await verifyExact(place);
});

ingestCase("a symbolic link that takes a file's name is not read", async (place) => {
  const outside = join(place.home, "outside.csv");
  await Deno.writeTextFile(outside, csvText([eventLine(0)]));
  await writeEvents(place, "a.csv", csvText([eventLine(1)]));
  const path = join(place.events, "a.csv");
  const heard = await ingestOnce(place, {
    source: folderSource(place),
    // between the look at it and the opening
    probe: (point) => {
      if (point !== "file.open") return;
      Deno.removeSync(path);
      Deno.symlinkSync(outside, path);
    },
  });
  assertEquals(heard.loaded, 0);
  assertEquals(await rowCount(place), 0);
});

ingestCase("a watch finds files in folders made later, however deep and dated", async (place) => {
  const { heard, stop } = ingestWatching(place, recursively(place, { once: false }));
  await heard.until(() => heard.starts === 1);
  for (let day = 1; day <= 8; day++) {
    await writeBelow(place, `2026/03/0${day}/10/events.csv`, csvText([eventLine(day)]));
  }
  await heard.until(() => heard.loaded === 8);
  await writeBelow(place, "2026/03/01/10/more.csv", csvText([eventLine(9)]));
  await heard.until(() => heard.loaded === 9);
  // a whole tree that is moved in
  const tree = join(place.home, "tree");
  await Deno.mkdir(join(tree, "deep"), { recursive: true });
  await Deno.writeTextFile(join(tree, "deep/a.csv"), csvText([eventLine(10)]));
  await Deno.rename(tree, join(place.events, "tree"));
  await heard.until(() => heard.loaded === 10);
  await stop();
  await verifyExact(place);
});

ingestCase("names with spaces, newlines, quotes and other alphabets", async (place) => {
  const names = [
    "with space.csv",
    "new\nline.csv",
    "quo'te\".csv",
    "ünï çødé 日本.csv",
    "-x.csv",
    "%s\\.csv",
  ];
  for (const [index, name] of names.entries()) {
    await writeBelow(place, join(`in ${name}`, name), csvText([eventLine(index)]));
  }
  const heard = await ingestOnce(place, {
    source: folderSource(place, {
      recursive: true,
      after: { kind: "archive", directory: await Deno.makeTempDir({ dir: place.home }) },
    }),
  });
  assertEquals(heard.loaded, names.length);
  assertEquals(
    (await ledgerFiles(place)).filter(({ isArchived }) => isArchived).map(({ path }) => path)
      .sort(),
    names.map((name) => join(`in ${name}`, name)).sort(),
  );
  await verifyExact(place);
});

ingestCase(`${SMALL_FILES} small files are each loaded once`, async (place) => {
  for (let file = 0; file < SMALL_FILES; file++) {
    Deno.writeTextFileSync(join(place.events, `${file}.csv`), csvText([eventLine(file)]));
  }
  const heard = await ingestOnce(place);
  assertEquals([heard.loaded, heard.rejected, heard.duplicate], [SMALL_FILES, 0, 0]);
  assertEquals((await ingestOnce(place)).batches.length, 0);
  const directory = await Deno.makeTempDir({ dir: place.home });
  const after = { kind: "archive" as const, directory };
  await ingestOnce(place, { source: folderSource(place, { after }) });
  assertEquals([...Deno.readDirSync(directory)].length, SMALL_FILES);
  assertEquals([...Deno.readDirSync(place.events)].length, 0);
  await verifyExact(place);
});

ingestCase("a temporary file in the same folder is loaded when it gets its name", async (place) => {
  const { heard, stop } = ingestWatching(place);
  await heard.until(() => heard.starts === 1);
  const endings = [".tmp", ".part", ".csv.tmp", ".csv.part"];
  for (const [index, ending] of endings.entries()) {
    const temporary = join(place.events, `a${index}${ending}`);
    await Deno.writeTextFile(temporary, csvText([eventLine(index)]).slice(0, -9));
    await Deno.writeTextFile(temporary, csvText([eventLine(index)]).slice(-9), { append: true });
    await Deno.rename(temporary, join(place.events, `a${index}.csv`));
    await heard.until(() => heard.loaded === index + 1);
  }
  await stop();
  assertEquals((await ledgerFiles(place)).map(({ path }) => path), [
    "a0.csv",
    "a1.csv",
    "a2.csv",
    "a3.csv",
  ]);
  await verifyExact(place);
});

ingestCase("a slow writer's cuts leave no row that it did not write", async (place) => {
  // every price has two digits more than its cut; a cut row would be loaded with another price
  const lines = Array.from({ length: 60 }, (_, number) => keylessLine(number, "1").split(","))
    .map(([, ...fields], number) => [...fields, `${1000 + number}.25`].join(","));
  const header = "user_id,event_type,product_id,event_timestamp,price";
  const text = [header, ...lines].join("\n") + "\n";
  const path = join(place.events, "a.csv");
  await Deno.writeTextFile(path, "");
  // it settles far sooner than the writer's next block comes
  const { heard, stop } = ingestWatching(place, { settleMs: 1 });
  await heard.until(() => heard.starts === 1);
  let provisional = 0;
  for (let at = 0; at < text.length; at += 97) {
    await Deno.writeTextFile(path, text.slice(at, at + 97), { append: true });
    const written = Math.min(text.length, at + 97);
    if (written < header.length + 1) continue;
    const isCommitted = async () => (await ledgerFiles(place))[0]?.committedByte === written;
    await until("the block is committed", isCommitted);
    if ((await ledgerFile(place, "a.csv")).provisionalFrom !== null) provisional++;
  }
  await stop();
  assert(provisional > 20, `${provisional} cuts were taken for the end`);
  const rows = await place.database.sql`
    select user_id::int as user, price::text from user_events order by user_id`;
  assertEquals(
    rows.map(({ user, price }) => [user, price]),
    lines.map((_, number) => [number + 1, `${1000 + number}.25`]),
  );
  assertEquals(await rowCount(place), lines.length);
  await verifyExact(place);
});

ingestCase("a file that was gone and is back is gone on with", async (place) => {
  const path = join(place.events, "a.csv");
  const away = join(place.home, "away.csv");
  await Deno.writeTextFile(path, keylessCsv([keylessLine(0)]));
  const { heard, stop } = ingestWatching(place);
  await heard.until(() => heard.loaded === 1);
  await Deno.rename(path, away);
  await writeEvents(place, "b.csv", keylessCsv([keylessLine(1)]));
  await heard.until(() => heard.loaded === 2);
  await Deno.writeTextFile(away, keylessLine(2) + "\n", { append: true });
  await Deno.rename(away, path);
  await heard.until(() => heard.loaded === 3);
  await stop();
  assertEquals((await ledgerFiles(place)).map(({ generation }) => generation), [1, 1]);
  await verifyExact(place);
});

ingestCase("a file that vanishes before it is opened is no trouble", async (place) => {
  await writeEvents(place, "a.csv", csvText([eventLine(0)]));
  await writeEvents(place, "b.csv", csvText([eventLine(1)]));
  let isGone = false;
  const heard = await ingestOnce(place, {
    probe: (point) => {
      if (point === "file.open" && !isGone) Deno.removeSync(join(place.events, "a.csv"));
      if (point === "file.open") isGone = true;
    },
  });
  assertEquals([heard.loaded, heard.troubles, heard.readErrors], [1, [], []]);
  await verifyExact(place);
});

for (const point of ["file.look", "file.open", "file.read", "folder.scan"] as const) {
  ingestCase(`what fails for a while at ${point} is read when it can be`, async (place) => {
    let reached = 0;
    const failFrom = point === "folder.scan" ? 2 : 1;
    const { heard, stop } = ingestWatching(place, {
      probe: failing(point, () => {
        reached++;
        return reached >= failFrom && reached < failFrom + 2;
      }),
    });
    await heard.until(() => heard.starts === 1);
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await heard.until(() => heard.loaded === 10);
    await until("the fault was met", () => heard.readErrors.length > 0);
    await stop();
    assertEquals([heard.troubles, heard.outages], [[], []]);
    await verifyExact(place);
  });
}

ingestCase(
  "a read that fails in the middle of a file leaves what was read in order",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 5_000)));
    for (let nth = 1; nth <= 6; nth++) {
      let reached = 0;
      await ingestOnce(place, {
        limits: { rows: 100, sizeBytes: 1e9, lingerMs: 20 },
        probe: failing("file.read", () => ++reached === nth),
      });
      await verifyExact(place);
    }
    await ingestOnce(place);
    assertEquals(await rowCount(place), 5_000);
  },
);

ingestCase("a file without permission is read when it has it", async (place) => {
  const path = join(place.events, "a.csv");
  await Deno.writeTextFile(path, csvText([eventLine(0)]), { mode: 0o000 });
  const { heard, stop } = ingestWatching(place);
  await heard.until(() => heard.readErrors.length > 0);
  await Deno.chmod(path, 0o600);
  await heard.until(() => heard.loaded === 1);
  await stop();
  await verifyExact(place);
}, { ignore: Deno.uid() === 0 }); // root may read everything: EIO stands for it above

ingestCase("a file that failed is loaded once it is corrected, in place or anew", async (place) => {
  const { heard, stop } = ingestWatching(place);
  await heard.until(() => heard.starts === 1);
  await writeEvents(place, "a.csv", "no,header,of,this,schema\n");
  await heard.until(() => heard.troubles.length === 1);
  await writeEvents(place, "b.csv", "<html>\n");
  await heard.until(() => heard.troubles.length === 2);
  await Deno.writeTextFile(join(place.events, "a.csv"), csvText(eventLines(0, 2)));
  await writeEvents(place, "b.csv", csvText(eventLines(2, 4)));
  await heard.until(() => heard.loaded === 4);
  await stop();
  assertEquals((await ledgerFiles(place)).map(({ state }) => state), ["done", "done"]);
  await verifyExact(place);
});

ingestCase("a file that was empty, or a header alone, is read on when it grows", async (place) => {
  await Deno.writeTextFile(join(place.events, "empty.csv"), "");
  await Deno.writeTextFile(join(place.events, "header.csv"), HEADER + "\n");
  await Deno.writeTextFile(join(place.events, "cut.csv"), HEADER);
  await ingestOnce(place);
  assertEquals((await ledgerFiles(place)).map(({ state }) => state), ["done", "done", "done"]);
  await Deno.writeTextFile(join(place.events, "empty.csv"), csvText([eventLine(0)]));
  for (const [number, name] of [[1, "header.csv"], [2, "cut.csv"]] as const) {
    const text = (name === "cut.csv" ? "\n" : "") + eventLine(number) + "\n";
    await Deno.writeTextFile(join(place.events, name), text, { append: true });
  }
  const heard = await ingestOnce(place);
  assertEquals([heard.loaded, heard.troubles], [3, []]);
  await verifyExact(place);
});

ingestCase(
  "a renamed file that was loaded, then grows under its new name, is read on",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 5)));
    await ingestOnce(place);
    await Deno.rename(join(place.events, "a.csv"), join(place.events, "b.csv"));
    assertEquals((await ingestOnce(place)).loaded, 0);
    await Deno.writeTextFile(join(place.events, "b.csv"), eventLine(5) + "\n", { append: true });
    const heard = await ingestOnce(place);
    assertEquals([heard.loaded, heard.duplicate], [1, 5]);
    await verifyExact(place);
  },
);

ingestCase("a file whose time lies in the future settles like any other", async (place) => {
  const path = join(place.events, "a.csv");
  const directory = await Deno.makeTempDir({ dir: place.home });
  const { heard, stop } = ingestWatching(place, {
    source: folderSource(place, { once: false, after: { kind: "archive", directory } }),
    settleMs: 100,
  });
  await heard.until(() => heard.starts === 1);
  const temporary = join(place.home, "next");
  await Deno.writeTextFile(temporary, csvText([eventLine(0)]) + eventLine(1));
  const future = new Date(Date.now() + 3_600_000);
  await Deno.utime(temporary, future, future);
  await Deno.rename(temporary, path);
  await heard.until(() => heard.loaded === 2);
  await until("it is archived", async () => (await ledgerFile(place, "a.csv")).isArchived);
  await stop();
  await verifyExact(place);
});

ingestCase("--once reads to the sizes of its scan, and takes no half record", async (place) => {
  const path = join(place.events, "a.csv");
  await Deno.writeTextFile(path, csvText([eventLine(0)]));
  let isGrown = false;
  const heard = await ingestOnce(place, {
    probe: (point) => {
      if (point !== "file.open" || isGrown) return;
      isGrown = true;
      Deno.writeTextFileSync(path, eventLine(1), { append: true });
    },
  });
  assertEquals(heard.loaded, 1);
  assertEquals((await ledgerFile(place, "a.csv")).state, "open");
  await verifyExact(place);
});

ingestCase("a folder below that cannot be looked into hinders no other", async (place) => {
  await writeBelow(place, "a/a.csv", csvText([eventLine(0)]));
  await writeBelow(place, "b.csv", csvText([eventLine(1)]));
  let reached = 0;
  const heard = await ingestOnce(place, {
    ...recursively(place),
    probe: failing("file.look", () => ++reached === 1),
  });
  assertEquals(heard.readErrors.length, 1);
  assertEquals(heard.loaded, 1);
  assertStringIncludes(heard.readErrors[0]!, ".csv");
  await ingestOnce(place, recursively(place));
  await verifyExact(place);
  assertEquals(await rowCount(place), 2);
});

function failing(at: ProbePoint, isNow: () => boolean): (point: ProbePoint) => void {
  return (point) => {
    if (point === at && isNow()) {
      throw Object.assign(new Error("Input/output error"), { code: "EIO" });
    }
  };
}
