import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import type { RejectBudget } from "../../src/pipeline/ingest_options.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLine,
  eventLines,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { ingestCommand } from "../../src/cli/ingest.ts";
import { runCommand } from "../support/run_command.ts";
import { ledgerFile, rowCount } from "../support/ledger_files.ts";
import { until } from "../support/until.ts";

function badLines(from: number, until: number): string[] {
  return Array.from({ length: until - from }, (_, n) => eventLine(from + n, { price: "dear" }));
}

const count = (rejects: number): RejectBudget => ({ kind: "count", rejects });
const share = (percent: number): RejectBudget => ({ kind: "share", percent });

/** Rows and rejects of one file, and what a budget makes of it. */
const BUDGETS: readonly [good: number, bad: number, budget: RejectBudget, loads: boolean][] = [
  [20, 3, count(3), true],
  [20, 3, count(2), false],
  [20, 0, count(0), true],
  [20, 1, count(0), false],
  [0, 999, share(0), true], // a share of so few says nothing
  [0, 1_000, share(99.9), false],
  [0, 1_001, share(100), true],
  [990, 10, share(1), true],
  [989, 11, share(1), false],
  [30_000, 304, share(1), false], // more than is read or decoded at a time
];

ingestCase("a file over its budget loads nothing, one within it loads all", async (place) => {
  let from = 0;
  for (const [index, [good, bad, maxRejects, loads]] of BUDGETS.entries()) {
    const name = `${index}.csv`;
    await writeEvents(
      place,
      name,
      csvText([...eventLines(from, from + good), ...badLines(from + good, from + good + bad)]),
    );
    from += good + bad;
    const heard = await ingestOnce(place, { maxRejects });
    const file = await ledgerFile(place, name);
    assertEquals(
      [heard.loaded, heard.rejected, file.committedByte > 0, file.state],
      loads ? [good, bad, true, "done"] : [0, 0, false, "failed"],
      name,
    );
    assertEquals(heard.troubles.length, loads ? 0 : 1, name);
    if (!loads) {
      assertStringIncludes(file.reason!, "too_many_rejects: ");
      assertStringIncludes(file.reason!, `${bad} of its ${good + bad} records are rejects`);
    }
    await Deno.remove(join(place.events, name));
  }
  await verifyExact(place);
});

ingestCase("malformed lines and one at the end without a newline count as well", async (place) => {
  const text = csvText([eventLine(0), '"a"b', eventLine(1)]) + '"open\nquote';
  await writeEvents(place, "a.csv", text);
  const over = await ingestOnce(place, { maxRejects: count(2) });
  assertStringIncludes(over.troubles[0]!.reason, "3 of its 5 records");
  const within = await ingestOnce(place, { maxRejects: count(3) });
  assertEquals([within.loaded, within.rejected], [2, 3]);
  await verifyExact(place);
});

ingestCase(
  "growth is validated before it is loaded, with what was rejected before",
  async (place) => {
    const path = join(place.events, "a.csv");
    const grow = async (lines: string[]) => {
      await Deno.writeTextFile(path, lines.join("\n") + "\n", { append: true });
      return await ingestOnce(place, { maxRejects: count(5) });
    };
    await Deno.writeTextFile(path, csvText(eventLines(0, 10)));
    assertEquals((await grow(badLines(10, 13))).rejected, 3);
    assertEquals((await grow([...badLines(13, 15), eventLine(15)])).loaded, 1);
    const over = await grow([eventLine(16), ...badLines(17, 18)]);
    assertEquals([over.loaded, over.rejected, over.troubles.length], [0, 0, 1]);
    const file = await ledgerFile(place, "a.csv");
    assertEquals([file.state, file.loaded, file.rejected], ["failed", 11, 5]);
    await verifyExact(place);
    const raised = await ingestOnce(place, { maxRejects: count(6) });
    assertEquals([raised.loaded, raised.rejected], [1, 1], "another budget looks again");
    await verifyExact(place);
  },
);

ingestCase(
  "growth that is found while the rejects before it commit is counted as well",
  async (place) => {
    const path = join(place.events, "a.csv");
    const { sql } = place.database;
    let opened = 0;
    const { heard, stop } = ingestWatching(place, {
      maxRejects: count(5),
      probe: (point) => {
        if (point === "file.open") opened++;
      },
    });
    await heard.until(() => heard.starts === 1);
    await sql.begin(async (transaction) => {
      await transaction`lock table pgsluice.rejects in share mode`;
      await Deno.writeTextFile(path, csvText([eventLine(0), ...badLines(1, 5)]));
      await until("a batch waits for the lock", async () => {
        const waiting = await sql`
        select from pg_stat_activity
        where application_name like 'pgsluice:%' and wait_event_type = 'Lock'
          and datname = current_database()`;
        return waiting.length > 0;
      });
      const before = opened;
      await Deno.writeTextFile(path, badLines(5, 8).join("\n") + "\n", { append: true });
      await until("the growth is looked at", () => opened > before);
    });
    await until("it is decided", () => heard.troubles.length > 0 || heard.rejected > 5);
    await stop();
    const file = await ledgerFile(place, "a.csv");
    assertEquals([file.state, file.rejected], ["failed", 4]);
    await verifyExact(place);
  },
);

ingestCase(
  "without a budget a file that begins with 1,000 rejects stops, and they are kept",
  async (place) => {
    await writeEvents(
      place,
      "a.csv",
      csvText([...badLines(0, 1_500), ...eventLines(1_500, 1_510)]),
    );
    await writeEvents(place, "b.csv", csvText([eventLine(5_000), ...badLines(2_000, 3_200)]));
    await writeEvents(place, "c.csv", csvText(badLines(4_000, 4_999)));
    const heard = await ingestOnce(place, { limits: { rows: 300, sizeBytes: 1e9, lingerMs: 20 } });
    assertEquals([heard.loaded, heard.rejected], [1, 1_000 + 1_200 + 999]);
    assertEquals(heard.troubles.map(({ path }) => path), ["a.csv"]);
    const file = await ledgerFile(place, "a.csv");
    assertEquals([file.state, file.rejected, file.loaded], ["failed", 1_000, 0]);
    assertStringIncludes(file.reason!, "all_rejected: its first 1000 records");
    await verifyExact(place);
    const again = await ingestOnce(place);
    assertEquals([again.rejected, again.troubles.length], [0, 1], "and stays so");
    const allowed = await ingestOnce(place, { maxRejects: share(100) });
    assertEquals([allowed.loaded, allowed.rejected], [10, 500]);
    await verifyExact(place);
  },
);

ingestCase("so does one that comes in pieces, over several runs", async (place) => {
  const path = join(place.events, "a.csv");
  await Deno.writeTextFile(path, csvText([]));
  for (const from of [0, 400, 800]) {
    await Deno.writeTextFile(path, badLines(from, from + 400).join("\n") + "\n", { append: true });
    await ingestOnce(place);
  }
  const file = await ledgerFile(place, "a.csv");
  assertEquals([file.state, file.rejected], ["failed", 1_000]);
  await verifyExact(place);
});

ingestCase("a growing header is waited for under a budget too", async (place) => {
  const path = join(place.events, "a.csv");
  const text = csvText(eventLines(0, 3));
  await Deno.writeTextFile(path, text.slice(0, 20));
  const { heard, stop } = ingestWatching(place, { maxRejects: count(0) });
  await heard.until(() => heard.starts === 1);
  await Deno.writeTextFile(path, text.slice(20), { append: true });
  await heard.until(() => heard.loaded === 3);
  await stop();
  assertEquals(heard.troubles, []);
  await verifyExact(place);
});

ingestCase("the command ends with 3 when a budget was passed, and with 0 else", async (place) => {
  await writeEvents(place, "a.csv", csvText([eventLine(0), ...badLines(1, 3)]));
  const ingest = (maxRejects: string) =>
    runCommand(
      ingestCommand,
      ...[place.events, "--once", "--max-rejects", maxRejects, "--json"],
      ...["--database", place.database.url, "--checkpoints", join(place.home, "checkpoints")],
    );
  const over = await ingest("1");
  assertEquals([over.exitCode, JSON.parse(over.output).filesFailed], [3, 1]);
  assertEquals((await ingest("1")).exitCode, 3, "it still is");
  const within = await ingest("2");
  assertEquals([within.exitCode, JSON.parse(within.output).loaded], [0, 1]);
  await verifyExact(place);
});

function streamed(lines: string[], change: { maxRejects?: RejectBudget | null } = {}) {
  return {
    pipelineName: "stdin",
    source: {
      kind: "stream" as const,
      stream: ReadableStream.from([new TextEncoder().encode(csvText(lines))]),
      sourceId: "shop",
    },
    ...change,
  };
}

async function refused(place: IngestPlace, options: ReturnType<typeof streamed>) {
  const error = await assertRejects(() => ingestOnce(place, options), PgsluiceError);
  assertEquals(error.exitCode, 3);
  return error.code;
}

ingestCase(
  "a stream stops as soon as its budget is passed, and keeps what it read",
  async (place) => {
    const lines = [...eventLines(0, 50), ...badLines(50, 60), ...eventLines(60, 70)];
    assertEquals(
      await refused(place, streamed(lines, { maxRejects: count(4) })),
      "too-many-rejects",
    );
    const file = await ledgerFile(place, "shop");
    assertEquals([file.state, file.loaded, file.rejected], ["failed", 50, 5]);
    assertEquals(
      await refused(place, streamed(lines, { maxRejects: count(4) })),
      "too-many-rejects",
    );
    assertEquals(await rowCount(place), 50);
    const heard = await ingestOnce(place, streamed(lines, { maxRejects: count(10) }));
    assertEquals([heard.loaded, heard.rejected], [10, 5]);
    await verifyExact(place, "stdin");
  },
);

ingestCase("a share of a stream counts from 1,000 records on", async (place) => {
  const lines = [...badLines(0, 100), ...eventLines(100, 1_100), ...badLines(1_100, 1_500)];
  assertEquals(
    await refused(place, streamed(lines, { maxRejects: share(20) })),
    "too-many-rejects",
  );
  const { loaded, rejected } = await ledgerFile(place, "shop");
  assertEquals([loaded, rejected], [1_000, 251], "251 are more than a fifth of 1,251");
  await verifyExact(place, "stdin");
});

ingestCase("a stream of nothing but rejects stops after 1,000", async (place) => {
  assertEquals(await refused(place, streamed(badLines(0, 1_500))), "all-rejected");
  assertEquals((await ledgerFile(place, "shop")).rejected, 1_000);
  await verifyExact(place, "stdin");
});

ingestCase(
  "key conflicts that the database finds count against a stream's budget",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 100)));
    await ingestOnce(place);
    const lines = Array.from({ length: 100 }, (_, n) => eventLine(n, { price: "99.00" }));
    const pieces = lines.map((line, index) => (index === 0 ? csvText([line]) : line + "\n"));
    // each piece comes when the one before is committed, as from a slow producer
    const { heard, ended } = ingestWatching(place, {
      ...streamed([], { maxRejects: count(10) }),
      source: {
        kind: "stream",
        sourceId: "shop",
        stream: new ReadableStream({
          async pull(controller) {
            const sent = 100 - pieces.length;
            await hear(() => heard.rejected >= sent);
            const piece = pieces.shift();
            if (piece === undefined) controller.close();
            else controller.enqueue(new TextEncoder().encode(piece));
          },
        }, { highWaterMark: 0 }),
      },
    });
    // the stream is asked before `heard` is there
    async function hear(condition: () => boolean) {
      await Promise.resolve();
      await heard.until(condition);
    }
    const error = await assertRejects(() => ended, PgsluiceError);
    assertEquals(error.code, "too-many-rejects");
    assertEquals((await ledgerFile(place, "shop")).rejected, 11);
  },
);
