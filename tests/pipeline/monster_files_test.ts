/**
 * Files that nobody means to make: each record of them has its fate, and the program's memory does
 * not grow with them. The real program runs as a child; its peak of resident memory is compared
 * with that of a run over ordinary events.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import {
  csvText,
  eventLine,
  eventLines,
  HEADER,
  type IngestPlace,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const MIB = 1024 * 1024;
/** What a run over monsters may need more than one over ordinary events: far less than they have. */
const MORE_BYTES = 50 * MIB;
/** The same where there is nothing but long rejects, whose texts are garbage for a while. */
const MORE_FOR_REJECTS_BYTES = 200 * MIB;
const POLL_MS = 5;
const EXIT_DONE = 0;
const EXIT_DATA = 3;
const LONG_LINE_BYTES = 100e6;

interface RunEnd {
  readonly code: number;
  readonly stderr: string;
  readonly peakBytes: number;
}

/** The highest resident memory of a process so far; null when it is gone. */
async function readPeakBytes(processId: number): Promise<number | null> {
  try {
    const status = await Deno.readTextFile(`/proc/${processId}/status`);
    const match = /^VmHWM:\s*(\d+) kB$/m.exec(status);
    return match && 1024 * Number(match[1]);
  } catch {
    return null;
  }
}

async function run(
  args: readonly string[],
  stdin?: ReadableStream<Uint8Array>,
): Promise<RunEnd> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", MAIN, ...args],
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const piped = stdin?.pipeTo(child.stdin);
  piped?.catch(() => {}); // met below, if the program did not end for another reason
  let isOver = false;
  const ended = child.status.finally(() => isOver = true);
  let peakBytes = 0;
  while (!isOver) {
    peakBytes = Math.max(peakBytes, await readPeakBytes(child.pid) ?? 0);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const { code } = await ended;
  if (code === EXIT_DONE) await piped;
  return { code, stderr: await stderr, peakBytes };
}

function ingestArgs(place: IngestPlace, source: string, pipeline: string): string[] {
  return [
    ...["ingest", source, "--pipeline", pipeline, "--database", place.database.url],
    ...["--checkpoints", join(place.home, "checkpoints"), ...source === "-" ? [] : ["--once"]],
  ];
}

function assertBounded(
  peakBytes: number,
  { usualBytes, moreBytes = MORE_BYTES }: { usualBytes: number; moreBytes?: number },
): void {
  assert(usualBytes > 0);
  assert(
    peakBytes < usualBytes + moreBytes,
    `${peakBytes / MIB} MiB at the peak, ${usualBytes / MIB} MiB with ordinary events`,
  );
}

/** Writes `before`, a hole that reads as so many NULs, and `after`. */
async function writeWithHole(
  place: IngestPlace,
  name: string,
  { before, holeBytes, after }: { before: string; holeBytes: number; after: string },
): Promise<void> {
  const temporary = join(place.events, `.${name}.tmp`);
  await Deno.writeTextFile(temporary, before);
  await Deno.truncate(temporary, before.length + holeBytes);
  await Deno.writeTextFile(temporary, after, { append: true });
  await Deno.rename(temporary, join(place.events, name));
}

/** What the ledger must have of a file. */
interface Fate {
  readonly state: string;
  readonly loaded: number;
  readonly rejects: Record<string, number>;
}

const REJECT_LINE_BYTES = 4_000;

/** Sound lines with numbers of their own, so that no two files have an event in common. */
function soundLines(file: number): [string, string] {
  return [eventLine(30_000 + 2 * file) + "\n", eventLine(30_000 + 2 * file + 1) + "\n"];
}

const MONSTERS: {
  name: string;
  write: (place: IngestPlace, file: { name: string; sound: [string, string] }) => Promise<void>;
  fate: Fate;
}[] = [
  {
    name: "a line of 100 MB between sound ones",
    write: (place, { name, sound: [first, second] }) =>
      writeWithHole(place, name, {
        before: `${HEADER}\n${first}`,
        holeBytes: LONG_LINE_BYTES,
        after: `\n${second}`,
      }),
    fate: { state: "done", loaded: 2, rejects: { oversize_record: 1 } },
  },
  {
    name: "one open quote of 50 MB, in one line",
    write: (place, { name, sound: [first] }) =>
      writeWithHole(place, name, { before: `${HEADER}\n${first}"`, holeBytes: 50e6, after: "" }),
    fate: { state: "done", loaded: 1, rejects: { oversize_record: 1 } },
  },
  {
    name: "one open quote of 50 MB from the start",
    write: (place, { name }) =>
      writeWithHole(place, name, { before: '"', holeBytes: 50e6, after: "" }),
    fate: { state: "failed", loaded: 0, rejects: {} },
  },
  {
    name: "a million empty lines between sound ones",
    write: (place, { name, sound: [first, second] }) =>
      writeEvents(place, name, `${HEADER}\n${first}${"\n".repeat(1e6)}${second}`),
    fate: { state: "done", loaded: 2, rejects: {} },
  },
  {
    name: "a million empty lines and nothing else",
    write: (place, { name }) => writeEvents(place, name, "\r\n".repeat(1e6)),
    fate: { state: "done", loaded: 0, rejects: {} },
  },
  {
    name: "a line of NULs between sound ones",
    write: (place, { name, sound: [first, second] }) =>
      writeWithHole(place, name, {
        before: `${HEADER}\n${first}`,
        holeBytes: 500_000,
        after: `\n${second}`,
      }),
    fate: { state: "done", loaded: 2, rejects: { nul_byte: 1 } },
  },
  {
    name: "a record of 2,000 fields",
    write: (place, { name, sound: [first, second] }) =>
      writeEvents(place, name, `${HEADER}\n${first}${",".repeat(1_999)}\n${second}`),
    fate: { state: "done", loaded: 2, rejects: { long_record: 1 } },
  },
  {
    name: "a header of 2,000 columns, and a record of as many fields",
    write: (place, { name, sound: [first] }) => {
      const extra = Array.from({ length: 2_000 }, (_, index) => `extra${index}`).join(",");
      return writeEvents(
        place,
        name,
        `${HEADER},${extra}\n${first.trimEnd()}${",".repeat(2_000)}\n`,
      );
    },
    fate: { state: "done", loaded: 1, rejects: {} },
  },
  {
    name: "more fields than PostgreSQL has columns, or the scanner keeps places",
    write: (place, { name, sound: [first, second] }) =>
      writeEvents(place, name, `${HEADER}\n${first}${",".repeat(500_000)}\n${second}`),
    fate: { state: "done", loaded: 2, rejects: { long_record: 1 } },
  },
  {
    name: "50 MB of CRs",
    write: (place, { name }) => writeEvents(place, name, "\r".repeat(50e6)),
    fate: { state: "failed", loaded: 0, rejects: {} },
  },
  {
    name: "a few CRs",
    write: (place, { name }) => writeEvents(place, name, "\r".repeat(1_000)),
    fate: { state: "done", loaded: 0, rejects: {} },
  },
  {
    name: "a header longer than the longest record",
    write: (place, { name, sound: [first] }) =>
      writeEvents(place, name, `${HEADER},${"x".repeat(20 * MIB)}\n${first}`),
    fate: { state: "failed", loaded: 0, rejects: {} },
  },
];

async function fateOf({ database: { sql } }: IngestPlace, path: string): Promise<Fate> {
  const [file] = await sql<{ fileId: number; state: string; loaded: number }[]>`
    select file_id::float8 as "fileId", state, loaded::float8 from pgsluice.files
    where path = ${path}`;
  const rejects = await sql<{ code: string; count: number }[]>`
    select code, count(*)::float8 as count from pgsluice.rejects
    where file_id = ${file!.fileId} group by code order by code`;
  return {
    state: file!.state,
    loaded: file!.loaded,
    rejects: Object.fromEntries(rejects.map(({ code, count }) => [code, count])),
  };
}

/** Peak of a run over ordinary events. */
async function usualPeak(place: IngestPlace): Promise<number> {
  const folder = join(place.home, "usual");
  await Deno.mkdir(folder);
  await Deno.writeTextFile(join(folder, "a.csv"), csvText(eventLines(0, 30_000)));
  const { code, stderr, peakBytes } = await run(ingestArgs(place, folder, "usual"));
  assertEquals(code, EXIT_DONE, stderr);
  return peakBytes;
}

const hasProc = Deno.build.os === "linux";

Deno.test({
  name: "monstrous files have their fates, in bounded memory, for ingest and verify",
  ignore: !hasProc,
  async fn(t) {
    await withPlace(await testDatabase(), async (place) => {
      const usualBytes = await usualPeak(place);
      const paths = MONSTERS.map((_, index) => `${index}.csv`);
      for (const [index, { write }] of MONSTERS.entries()) {
        await write(place, { name: paths[index]!, sound: soundLines(index) });
      }
      const { code, stderr, peakBytes } = await run(ingestArgs(place, place.events, "monsters"));
      assertEquals(code, EXIT_DATA, stderr);
      for (const [index, { name, fate }] of MONSTERS.entries()) {
        await t.step(name, async () => assertEquals(await fateOf(place, paths[index]!), fate));
      }
      assertBounded(peakBytes, { usualBytes });
      await verifyExact(place, "monsters");
      const verifyArgs = ["verify", "--database", place.database.url, "--pipeline"];
      const usual = await run([...verifyArgs, "usual"]);
      const verified = await run([...verifyArgs, "monsters"]);
      assertEquals([usual.code, verified.code], [EXIT_DONE, EXIT_DONE], verified.stderr);
      assertBounded(verified.peakBytes, { usualBytes: usual.peakBytes });
    });
  },
});

Deno.test({
  name: "an open quote before 200 MB of lines is a reject a line, in bounded memory",
  ignore: !hasProc,
  async fn() {
    await withPlace(await testDatabase(), async (place) => {
      const usualBytes = await usualPeak(place);
      const lineCount = 200e6 / REJECT_LINE_BYTES;
      const block = ("x".repeat(REJECT_LINE_BYTES - 1) + "\n").repeat(lineCount / 100);
      const temporary = join(place.events, ".rejects.csv.tmp");
      await Deno.writeTextFile(temporary, `${HEADER}\n${eventLine(30_000)}\n"`);
      for (let part = 0; part < 100; part++) {
        await Deno.writeTextFile(temporary, block, { append: true });
      }
      await Deno.rename(temporary, join(place.events, "rejects.csv"));
      const { code, stderr, peakBytes } = await run(ingestArgs(place, place.events, "rejects"));
      assertEquals(code, EXIT_DONE, stderr);
      assertEquals(await fateOf(place, "rejects.csv"), {
        state: "done",
        loaded: 1,
        rejects: { open_quote: 1, short_record: lineCount - 1 },
      });
      assertBounded(peakBytes, { usualBytes, moreBytes: MORE_FOR_REJECTS_BYTES });
    });
  },
});

/** Pieces as a pipe gives them. */
async function* pipedMonster(sound: [string, string]): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode(`${HEADER}\n${sound[0]}"`);
  const piece = new Uint8Array(64 * 1024).fill(0x78);
  for (let byte = 0; byte < LONG_LINE_BYTES; byte += piece.length) yield piece;
  yield encoder.encode(`\n${sound[1]}`);
}

Deno.test({
  name: "a line of 100 MB through a pipe is one reject, in bounded memory, again too",
  ignore: !hasProc,
  async fn() {
    await withPlace(await testDatabase(), async (place) => {
      const usualBytes = await usualPeak(place);
      const args = [...ingestArgs(place, "-", "stdin"), "--source-id", "shop"];
      for (const _time of ["first", "again"]) {
        const piped = ReadableStream.from(pipedMonster(soundLines(0)));
        const { code, stderr, peakBytes } = await run(args, piped);
        assertEquals(code, EXIT_DONE, stderr);
        assertEquals(await fateOf(place, "shop"), {
          state: "done",
          loaded: 2,
          rejects: { oversize_record: 1 },
        });
        assertBounded(peakBytes, { usualBytes });
      }
    });
  },
});
