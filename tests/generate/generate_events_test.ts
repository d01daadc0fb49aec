import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { parse } from "@std/csv";
import { join } from "@std/path";
import { type Clock, SYSTEM_CLOCK } from "../../src/generate/clock.ts";
import { generateEvents, type GenerateOptions } from "../../src/generate/generate_events.ts";
import type { Manifest } from "../../src/generate/manifest.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { csvHeader } from "../../src/schema/schema_help.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { isCandidateName } from "../../src/source/folder_scan.ts";
import { namesIn, withFolder } from "./with_folder.ts";

const OPTIONS = {
  events: 5_000,
  rowsPerFile: 1_000,
  seed: 7,
  start: new Date("2026-03-14T18:00:00Z"),
  dirtyPercent: 0,
  duplicatesPercent: 0,
  schema: USER_EVENTS,
} as const;

type Choices = Partial<Omit<GenerateOptions, "output">>;

/** A run into a stream, as one byte a character. */
async function generateText(choices: Choices): Promise<{ text: string; manifest: Manifest }> {
  const chunks: string[] = [];
  const manifest = await generateEvents({
    ...OPTIONS,
    ...choices,
    output: {
      kind: "stream",
      write(bytes) {
        for (let at = 0; at < bytes.length; at += 4096) {
          chunks.push(String.fromCharCode(...bytes.subarray(at, at + 4096)));
        }
        return Promise.resolve();
      },
    },
  });
  return { text: chunks.join(""), manifest };
}

function generateInto(directory: string, choices: Choices = {}): Promise<Manifest> {
  return generateEvents({ ...OPTIONS, ...choices, output: { kind: "folder", directory } });
}

/** The lines behind the header, which must be the schema's. */
function recordLines(text: string): string[] {
  const lines = text.split("\n");
  assertEquals(lines.shift(), csvHeader(USER_EVENTS).join(","));
  assertEquals(lines.pop(), "", "the last line ends in a newline");
  return lines;
}

function recordLinesIn(directory: string): string[] {
  return namesIn(directory).flatMap((name) =>
    recordLines(new TextDecoder().decode(Deno.readFileSync(join(directory, name))))
  );
}

/** A clock on which only the generator itself lets time pass. */
class TestClock implements Clock {
  elapsedMs = 1_000;
  nowMs(): number {
    return this.elapsedMs;
  }
  sleepUntil(untilMs: number, _signal?: AbortSignal): Promise<void> {
    this.elapsedMs = Math.max(this.elapsedMs, untilMs);
    return Promise.resolve();
  }
}

Deno.test("generate writes the same bytes for the same seed and start", async () => {
  const choices = { dirtyPercent: 5, duplicatesPercent: 5 };
  const { text, manifest } = await generateText(choices);
  assertEquals(await generateText(choices), { text, manifest });
  assertNotEquals((await generateText({ ...choices, seed: 8 })).text, text);
  const later = new Date(OPTIONS.start.getTime() + 1);
  assertNotEquals((await generateText({ ...choices, start: later })).text, text);
});

Deno.test("generate writes the same records whatever the rate and the rows per file", async () => {
  const choices = { dirtyPercent: 5, duplicatesPercent: 5 };
  const expected = recordLines((await generateText(choices)).text);
  const slow = await generateText({ ...choices, rate: 300, clock: new TestClock() });
  assertEquals(recordLines(slow.text), expected);
  for (const rowsPerFile of [1, 77, 5_000, 1_000_000]) {
    await withFolder(async (folder) => {
      const few = { ...choices, events: rowsPerFile === 1 ? 50 : 5_000 };
      await generateInto(folder, { ...few, rowsPerFile });
      const bytes = namesIn(folder).map((name) => Deno.readFileSync(join(folder, name)));
      const texts = bytes.map((file) => Array.from(file, (b) => String.fromCharCode(b)).join(""));
      assertEquals(texts.flatMap(recordLines), expected.slice(0, few.events));
      assertEquals(bytes.length, Math.ceil(few.events / rowsPerFile));
    });
  }
});

Deno.test("generate begins a longer run with the records of a shorter one", async () => {
  const short = recordLines((await generateText({ events: 100 })).text);
  const long = recordLines((await generateText({ events: 200 })).text);
  assertEquals(long.slice(0, 100), short);
});

Deno.test("generate's valid events do not depend on dirt and duplicates", async () => {
  const clean = parse(latin1AsUtf8((await generateText({})).text)).slice(1).map(String);
  const { text, manifest } = await generateText({ dirtyPercent: 10, duplicatesPercent: 10 });
  const expected = clean.slice(0, manifest.valid);
  // what a record holds, or nothing if it is no CSV; texts may be quoted or not
  const meanings = recordLines(text).map((line) => {
    try {
      return String(parse(latin1AsUtf8(line))[0]);
    } catch {
      return "";
    }
  });
  const wanted = new Set(expected);
  const found = meanings.filter((meaning) => wanted.has(meaning));
  assertEquals([...new Set(found)], expected);
  assertEquals(found.length - expected.length, manifest.duplicates);
  assertEquals(meanings.length - found.length, manifest.rejected);
});

function latin1AsUtf8(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
}

Deno.test("generate's manifest equals what a plain reading of the files counts", async () => {
  await withFolder(async (folder) => {
    const manifest = await generateInto(folder, { duplicatesPercent: 8 });
    const lines = recordLinesIn(folder);
    const different = new Set(lines);
    assertEquals(manifest.events, 5_000);
    assertEquals(manifest.events, lines.length);
    assertEquals(manifest.valid, different.size);
    assertEquals(manifest.duplicates, lines.length - different.size);
    assertEquals(manifest.rejected, 0);
    assertEquals(manifest.files, namesIn(folder).length);
    assertEquals(manifest.seed, OPTIONS.seed);
    assertEquals(manifest.start, "2026-03-14T18:00:00.000Z");
    const cents = [...different].reduce((sum, line) => {
      const price = line.split(",").at(-2)!;
      return sum + Math.round(Number(price) * 100);
    }, 0);
    assertEquals(manifest.priceSum, (cents / 100).toFixed(2));
    assert(manifest.duplicates > 300 && manifest.duplicates < 500, `${manifest.duplicates}`);
    const files = namesIn(folder).map((name) => Deno.readTextFileSync(join(folder, name)));
    const first = new Set(recordLines(files[0]!));
    assert(
      files.slice(1).some((file) => recordLines(file).some((line) => first.has(line))),
      "some rows are sent again in a later file",
    );
  });
});

Deno.test("generate dirties as many records as asked", async () => {
  const { manifest } = await generateText({ events: 20_000, dirtyPercent: 10 });
  assert(manifest.rejected > 1_800 && manifest.rejected < 2_200, `${manifest.rejected}`);
  const all = await generateText({ events: 500, dirtyPercent: 100 });
  assertEquals(all.manifest.rejected, 500);
  assertEquals(all.manifest.priceSum, "0.00");
});

Deno.test("generate's rows have ids of their time, and purchases behind their views", async () => {
  const { text } = await generateText({ events: 20_000 });
  const seen = new Set<string>();
  let lastId = "";
  let purchaseCount = 0;
  for (const row of parse(text).slice(1)) {
    const [id, time, type, user, product, , , price, quantity] = row as string[];
    assertEquals(new Date(time!).toISOString(), time);
    assertEquals(parseInt(id!.replaceAll("-", "").slice(0, 12), 16), Date.parse(time!));
    assert(/^.{14}7.{4}[89ab].{16}$/.test(id!) && id! > lastId, `${id} follows ${lastId}`);
    lastId = id!;
    assert(/^\d+\.\d\d$/.test(price!) && /^[1-9]$/.test(quantity!));
    if (type === "view") seen.add(`${user} ${product}`);
    else assert(type === "purchase" && seen.has(`${user} ${product}`));
    if (type === "purchase") purchaseCount++;
  }
  assert(purchaseCount > 1_000);
});

Deno.test("generate's texts exercise quoting", async () => {
  const rows = parse(latin1AsUtf8((await generateText({})).text));
  const names = rows.map((row) => row[5]!);
  for (const oddity of [/,/, /"/, /^"/, /é|ü/, /\p{Script=Han}/u, /\u{1f381}/u]) {
    assert(names.some((name) => oddity.test(name)), String(oddity));
  }
  assert(rows.some((row) => row[6] === ""), "some products have no category");
  assert(rows.some((row) => Number(row[3]) > Number.MAX_SAFE_INTEGER), "some ids are large");
});

Deno.test("generate writes no file for no events, and a header to a stream", async () => {
  assertEquals((await generateText({ events: 0 })).text, csvHeader(USER_EVENTS).join(",") + "\n");
  await withFolder(async (folder) => {
    assertEquals((await generateInto(folder, { events: 0 })).files, 0);
    assertEquals(namesIn(folder), []);
  });
});

Deno.test("generate shows a watcher complete files only", async () => {
  await withFolder(async (folder) => {
    let lookCount = 0;
    await generateInto(folder, {
      events: 20_000,
      onProgress() {
        for (const name of namesIn(folder).filter(isCandidateName)) {
          lookCount++;
          const text = Deno.readTextFileSync(join(folder, name));
          assertEquals(recordLines(text).length, OPTIONS.rowsPerFile, name);
        }
      },
    });
    assert(lookCount > 20);
    assertEquals(namesIn(folder).filter(isCandidateName).length, 20);
  });
});

Deno.test("generate names files so that they sort by start and sequence", async () => {
  await withFolder(async (folder) => {
    await generateInto(folder, { start: new Date("2026-03-15T00:00:00Z"), events: 1_500 });
    await generateInto(folder, { events: 1_500 });
    assertEquals(namesIn(folder), [
      "events-20260314T180000000Z-7-00000001.csv",
      "events-20260314T180000000Z-7-00000002.csv",
      "events-20260315T000000000Z-7-00000001.csv",
      "events-20260315T000000000Z-7-00000002.csv",
    ]);
  });
});

Deno.test("generate refuses to add the same events to a folder again", async () => {
  await withFolder(async (folder) => {
    await generateInto(folder);
    const before = namesIn(folder);
    const error = await assertRejects(() => generateInto(folder), PgsluiceError, "seed and start");
    assertEquals(error.code, "events-exist");
    assertEquals(namesIn(folder), before);
  });
});

Deno.test("generate keeps the rate, through stalls as well", async () => {
  for (const rate of [50, 997, 20_000]) {
    const clock = new TestClock();
    let writeCount = 0;
    const manifest = await generateEvents({
      ...OPTIONS,
      events: rate * 10,
      rate,
      clock,
      output: {
        kind: "stream",
        write() {
          // every 40th write hangs for a while
          clock.elapsedMs += ++writeCount % 40 === 0 ? 180 : 0.3;
          return Promise.resolve();
        },
      },
    });
    assertEquals(manifest.events, rate * 10);
    const elapsedMs = clock.elapsedMs - 1_000;
    assert(Math.abs(elapsedMs - 10_000) < 200, `rate ${rate}: 10 s took ${elapsedMs} ms`);
  }
});

Deno.test("generate with a rate finishes a file after a second, full or not", async () => {
  const cases = [
    { rate: 100, events: 1_000, leastFiles: 9, mostFiles: 11, mostRows: 101 },
    { rate: 1, events: 5, leastFiles: 5, mostFiles: 5, mostRows: 1 },
    { rate: 3_000, events: 6_000, leastFiles: 6, mostFiles: 8, mostRows: 1_000 },
  ];
  for (const { rate, events, leastFiles, mostFiles, mostRows } of cases) {
    await withFolder(async (folder) => {
      const { files } = await generateInto(folder, { rate, events, clock: new TestClock() });
      assert(files >= leastFiles && files <= mostFiles, `rate ${rate}: ${files} files`);
      assertEquals(recordLinesIn(folder).length, events);
      for (const name of namesIn(folder)) {
        const rows = recordLines(Deno.readTextFileSync(join(folder, name))).length;
        assert(rows >= 1 && rows <= mostRows, `rate ${rate}: ${rows} rows in ${name}`);
      }
    });
  }
});

Deno.test("generate stopped by a signal leaves whole files and a true manifest", async () => {
  await withFolder(async (folder) => {
    const stop = new AbortController();
    const manifest = await generateInto(folder, {
      events: Infinity,
      rowsPerFile: 1_700,
      duplicatesPercent: 5,
      signal: stop.signal,
      onProgress: ({ events }) => events > 10_000 && stop.abort(),
    });
    assert(manifest.events > 10_000 && manifest.events < 20_000);
    assertEquals(namesIn(folder).filter((name) => !isCandidateName(name)), []);
    assertEquals(namesIn(folder).length, manifest.files);
    assertEquals(recordLinesIn(folder).length, manifest.events);
  });
});

Deno.test("generate waiting for its next row wakes up at a signal", async () => {
  await withFolder(async (folder) => {
    const stop = new AbortController();
    class SignalledClock extends TestClock {
      override sleepUntil(_untilMs: number, signal: AbortSignal): Promise<void> {
        const anHourLaterMs = SYSTEM_CLOCK.nowMs() + 3_600_000;
        const sleeping = SYSTEM_CLOCK.sleepUntil(anHourLaterMs, signal);
        stop.abort();
        return sleeping;
      }
    }
    const { events } = await generateInto(folder, {
      events: Infinity,
      rate: 1,
      signal: stop.signal,
      clock: new SignalledClock(),
    });
    assertEquals(events, 0);
    assertEquals(namesIn(folder), []);
  });
});

Deno.test("generate stops where its stream's reader has gone", async () => {
  let writeCount = 0;
  await assertRejects(
    () =>
      generateEvents({
        ...OPTIONS,
        events: Infinity,
        output: {
          kind: "stream",
          write() {
            writeCount++;
            return writeCount < 3
              ? Promise.resolve()
              : Promise.reject(new Deno.errors.BrokenPipe("Broken pipe"));
          },
        },
      }),
    Deno.errors.BrokenPipe,
  );
  assertEquals(writeCount, 3);
});

Deno.test("generate removes the unfinished file when it fails", async () => {
  await withFolder(async (folder) => {
    const failing = generateInto(folder, {
      events: 1_500,
      rowsPerFile: 1_000_000,
      onProgress() {
        throw new RangeError("the listener fails");
      },
    });
    await assertRejects(() => failing, RangeError, "the listener fails");
    assertEquals(namesIn(folder), []);
  });
});
