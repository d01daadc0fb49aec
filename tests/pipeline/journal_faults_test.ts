/** Whatever befalls the journal, the load goes on, and the journal follows as soon as it can. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { localDisk } from "../../src/checkpoint/journal_disk.ts";
import { journalPath, readJournal } from "../../src/checkpoint/read_journal.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { ingest } from "../../src/pipeline/ingest.ts";
import type { ProbePoint } from "../../src/probe.ts";
import { checkJournal } from "../../src/reconcile/check_journal.ts";
import {
  csvText,
  eventLines,
  folderSource,
  Heard,
  ingestOnce,
  ingestOptions,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { mayMount, type TinyFileSystem, withTinyFileSystem } from "../support/tiny_file_system.ts";

/** Of the journal's facts those that tell of writing: `trouble` and `mended`. */
function journalTroubles({ journals }: Heard): string[] {
  return journals.filter((kind) => kind === "trouble" || kind === "mended");
}

function folderOf(place: IngestPlace): string {
  return join(place.home, "checkpoints", "default");
}

async function journalKind(place: IngestPlace, directory = folderOf(place)): Promise<string> {
  const graceMs = 60_000;
  return (await checkJournal(place.database.sql, { pipeline: "default", directory, graceMs })).kind;
}

async function isBehind(directory: string): Promise<boolean> {
  const found = await readJournal(directory);
  return found.kind !== "whole" || found.content.isTorn || found.content.files.size < 2;
}

interface Fault {
  readonly name: string;
  readonly ignore?: boolean;
  /** Begins when the journal was made; else before. */
  readonly isLate?: boolean;
  /** @returns what ends it */
  readonly begin: (directory: string) => () => void;
}

function failing<K extends string>(
  object: { [key in K]: unknown },
  { name, fail }: { name: K; fail: (real: (...args: unknown[]) => unknown) => unknown },
): () => void {
  const real = object[name];
  // deno-lint-ignore no-explicit-any
  object[name] = fail(real as any);
  return () => {
    object[name] = real;
  };
}

function halfWrites(): () => void {
  return failing(Deno.FsFile.prototype, {
    name: "writeSync",
    fail: (real) =>
      function (this: Deno.FsFile, bytes: Uint8Array) {
        real.call(this, bytes.subarray(0, bytes.length >> 1));
        throw new Error("no space left, half way");
      },
  });
}

const FAULTS: readonly Fault[] = [
  { name: "its writes fail half way from the start", begin: halfWrites },
  { name: "its appends fail half way", isLate: true, begin: halfWrites },
  {
    name: "it cannot be flushed",
    begin: () =>
      failing(Deno.FsFile.prototype, {
        name: "syncSync",
        fail: () => () => {
          throw new Error("input/output error");
        },
      }),
  },
  {
    name: "it cannot be renamed into its place",
    begin: () =>
      failing(Deno, {
        name: "renameSync",
        fail: () => () => {
          throw new Error("read-only file system");
        },
      }),
  },
  {
    name: "another process holds its lock",
    begin(directory) {
      Deno.mkdirSync(directory, { recursive: true });
      const other = localDisk.lock(join(directory, "lock"))!;
      return () => other.close();
    },
  },
  {
    name: "something is in its way",
    begin(directory) {
      const inTheWay = join(directory, ".journal.jsonl.tmp");
      Deno.mkdirSync(join(inTheWay, "full"), { recursive: true });
      return () => Deno.removeSync(inTheWay, { recursive: true });
    },
  },
  {
    name: "its folder may not be written to, by an ordinary user",
    ignore: Deno.uid() === 0,
    begin(directory) {
      Deno.mkdirSync(directory, { recursive: true });
      Deno.chmodSync(directory, 0o555);
      return () => Deno.chmodSync(directory, 0o755);
    },
  },
];

async function goesOn(place: IngestPlace, fault: Fault): Promise<void> {
  const directory = folderOf(place);
  let end = fault.isLate ? null : fault.begin(directory);
  try {
    const { heard, stop } = ingestWatching(place);
    await heard.until(() => heard.starts === 1);
    end ??= fault.begin(directory);
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await heard.until(() => heard.loaded === 10);
    await writeEvents(place, "b.csv", csvText(eventLines(10, 20)));
    await heard.until(() => heard.loaded === 20);
    assertEquals(journalTroubles(heard), ["trouble"], "said once");
    assert(await isBehind(directory));
    end();
    end = null;
    await heard.until(() => heard.journals.includes("mended"));
    assertEquals(await journalKind(place, directory), "level");
    assertEquals(heard.batches.length, 2, "no commit was needed");
    await stop();
    assertEquals(journalTroubles(heard), ["trouble", "mended"]);
    assertEquals(heard.outages, []);
    assertEquals(await journalKind(place, directory), "level");
    await verifyExact(place);
  } finally {
    end?.();
  }
}

for (const fault of FAULTS) {
  Deno.test({
    name: `ingest goes on, and the journal is whole again by itself: ${fault.name}`,
    ignore: fault.ignore ?? false,
    fn: async () => await withPlace(await testDatabase(), (place) => goesOn(place, fault)),
  });
}

/** @returns what mends it */
type Spoil = (disk: TinyFileSystem) => Promise<() => void | Promise<void>>;

const SPOILT: readonly (readonly [name: string, spoil: Spoil])[] = [
  ["a full disk", (disk) => {
    disk.fill();
    return Promise.resolve(disk.makeRoom);
  }],
  ["a read-only file system", async (disk) => {
    await disk.setReadOnly(true);
    return () => disk.setReadOnly(false);
  }],
];

async function goesOnFrom(
  spoil: Spoil,
  { place, disk }: { place: IngestPlace; disk: TinyFileSystem },
) {
  const mend = await spoil(disk);
  const directory = join(disk.directory, "default");
  const { heard, stop } = ingestWatching(place, { checkpointsDirectory: disk.directory });
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await heard.until(() => heard.loaded === 10);
  await writeEvents(place, "b.csv", csvText(eventLines(10, 20)));
  await heard.until(() => heard.loaded === 20);
  assertEquals(journalTroubles(heard), ["trouble"], "said once");
  assert(await isBehind(directory));
  await mend();
  await heard.until(() => heard.journals.includes("mended"));
  assertEquals(await journalKind(place, directory), "level");
  await stop();
  assertEquals(heard.batches.length, 2, "no commit was needed");
  assertEquals(journalTroubles(heard), ["trouble", "mended"]);
  await verifyExact(place);
}

for (const [name, spoil] of SPOILT) {
  Deno.test({
    name: `ingest goes on, and the journal is whole again by itself: ${name} ` +
      "(needs the right to mount)",
    ignore: !mayMount,
    fn: async () =>
      await withPlace(
        await testDatabase(),
        (place) => withTinyFileSystem((disk) => goesOnFrom(spoil, { place, disk })),
      ),
  });
}

function journalTest(name: string, run: (place: IngestPlace) => Promise<void>): void {
  Deno.test(name, async () => await withPlace(await testDatabase(), run));
}

journalTest(
  "the journal is whole at the end of an ingest in which a point of it failed",
  async (place) => {
    const points: ProbePoint[] = [
      "journal.compact",
      "journal.rename",
      "journal.append",
      "journal.appended",
    ];
    for (const [index, failing] of points.entries()) {
      await writeEvents(place, `${index}.csv`, csvText(eventLines(10 * index, 10 * index + 10)));
      // one that is level would be gone on with, and not written whole
      await Deno.remove(journalPath(folderOf(place))).catch(() => {});
      let hasFailed = false;
      const probe = (point: ProbePoint) => {
        if (point !== failing || hasFailed) return;
        hasFailed = true;
        throw new Error(`probe at ${point}`);
      };
      const heard = await ingestOnce(place, { probe });
      assertEquals(journalTroubles(heard), ["trouble", "mended"], failing);
      assertEquals(heard.loaded, 10);
      assertEquals(await journalKind(place), "level", failing);
    }
    await verifyExact(place);
  },
);

journalTest(
  "an ingest whose journal fails to the end loads everything all the same",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await ingestOnce(place);
    await writeEvents(place, "b.csv", csvText(eventLines(10, 20)));
    const probe = (point: ProbePoint) => {
      if (point === "journal.append" || point === "journal.rename") throw new Error(point);
    };
    const heard = await ingestOnce(place, { probe });
    assertEquals([heard.loaded, journalTroubles(heard)], [10, ["trouble"]]);
    assertEquals(await journalKind(place), "behind");
    const next = await ingestOnce(place);
    assertEquals(next.journals, ["behind"]);
    assertEquals(await journalKind(place), "level");
    await verifyExact(place);
  },
);

journalTest(
  "an ingest that lost its pipeline holds and writes no journal until it owns it again",
  async (place) => {
    const points: ProbePoint[] = [];
    const lockPath = join(folderOf(place), "lock");
    const whileLost: { isLockFree: boolean; points: number }[] = [];
    class LosingHeard extends Heard {
      override outage(facts: Parameters<Heard["outage"]>[0]): void {
        const lock = localDisk.lock(lockPath);
        lock?.close();
        whileLost.push({ isLockFree: lock !== null, points: points.length });
        super.outage(facts);
      }
    }
    const heard = new LosingHeard();
    const controller = new AbortController();
    const ended = ingest(
      ingestOptions(place, {
        source: folderSource(place, { once: false }),
        signal: controller.signal,
        probe: (point) => {
          if (point.startsWith("journal.")) points.push(point);
        },
      }),
      heard,
    );
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await heard.until(() => heard.loaded === 10);
    await place.database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'pgsluice owner' and datname = current_database()`;
    await heard.until(() => heard.starts === 2);
    await writeEvents(place, "b.csv", csvText(eventLines(10, 20)));
    await heard.until(() => heard.loaded === 20);
    controller.abort();
    await ended;
    assert(whileLost.length > 0);
    assert(whileLost.every(({ isLockFree }) => isLockFree));
    assertEquals(points[whileLost.at(-1)!.points], "journal.append", "the next owner goes on");
    assertEquals(journalTroubles(heard), []);
    assertEquals(await journalKind(place), "level");
    await verifyExact(place);
  },
);

journalTest(
  "a journal of a newer pgsluice stops the ingest, and is left as it is",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    const body = JSON.stringify({ seq: 0, epoch: 1, format: "pgsluice-journal/2" });
    const sum = createHash("sha256").update(body).digest("hex").slice(0, 16);
    const text = `${body.slice(0, -1)},"sum":"${sum}"}\nwhat this one cannot read\n`;
    const path = join(folderOf(place), "journal.jsonl");
    await Deno.mkdir(folderOf(place), { recursive: true });
    await Deno.writeTextFile(path, text);
    const error = await assertRejects(() => ingestOnce(place), PgsluiceError, "newer pgsluice");
    assertEquals(error.code, "journal-format");
    assertStringIncludes(error.hint, "move that folder away");
    assertEquals(await Deno.readTextFile(path), text);
    assertEquals([...await place.database.sql`select from user_events`].length, 0);
  },
);

journalTest(
  "a damaged journal is kept as it was; of another database it stops the ingest",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await ingestOnce(place);
    const path = join(folderOf(place), "journal.jsonl");
    const damaged = `${await Deno.readTextFile(path)}not a line\n`;
    await Deno.writeTextFile(path, damaged);
    assertEquals((await ingestOnce(place)).journals, ["damaged"]);
    const kept = [...Deno.readDirSync(folderOf(place))].map(({ name }) => name)
      .filter((name) => name.startsWith("journal.jsonl.damaged-"));
    assertEquals(kept.length, 1);
    assertEquals(await Deno.readTextFile(join(folderOf(place), kept[0]!)), damaged);
    assertEquals(await journalKind(place), "level");

    await Deno.writeTextFile(path, damaged);
    await place.database.sql`update pgsluice.pipelines set identity = gen_random_uuid()`;
    const error = await assertRejects(() => ingestOnce(place), PgsluiceError, "another database");
    assertEquals(error.code, "other-database");
    assertEquals(await Deno.readTextFile(path), damaged);
  },
);
