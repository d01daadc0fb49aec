import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { displayWidth } from "../../src/cli/display_width.ts";
import { frameLines } from "../../src/cli/status_watch_frame.ts";
import type { WatchView } from "../../src/status/status_watch.ts";
import { AT_MS, pipelinePicture, viewOf } from "./picture_fixture.ts";

function frame(view: WatchView, columns: number, rows: number): string[] {
  return frameLines(view, { size: { columns, rows }, intervalMs: 1_000 }).map(({ text }) => text);
}

function outage(awayMs: number, reason: string): NonNullable<WatchView["outage"]> {
  return { awayMs, reason, code: "database-unreachable", hint: "start it" };
}

Deno.test("a screen of 80 columns shows all of a pipeline", () => {
  assertEquals(frame(viewOf([pipelinePicture()]), 80, 24), [
    "pgsluice status  2026-03-14T10:22:31Z  Ctrl-C ends",
    'pipeline default: an ingester is at work; /data/events → "user_events"',
    "now        loading",
    "records    1,140/s       ▄▄▄▄▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇████████  mean 590/s",
    "bytes      111.3 KiB/s   ▄▄▄▄▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇████████  mean 57.6 KiB/s",
    "backlog    12 files, 14.5 MiB, the oldest changed 3.2 s ago",
    "latency    median 850 ms, 95 % within 2.1 s, from a file's last change to its …",
    "loaded     1,234,567 records, 140.0 MiB committed",
    "rejects    123, 0.2/s; newest 123: bad_price 100, bad_uuid 23",
    "duplicates 12, 0/s",
    "files      1 open, 98 done, 2 failed",
    "batches    8.0/s; last 100: 1,543 records each, 2 connections",
    "stages     ░▒▒██████████-▓▓▓▓== █ copy 50 %  ▓ ledger 20 %  ▒ decode 10 %  = c…",
    "journal    level with the database",
  ]);
});

Deno.test("a small screen keeps what matters most", () => {
  assertEquals(frame(viewOf([pipelinePicture()]), 50, 6), [
    "pgsluice status  2026-03-14T10:22:31Z  Ctrl-C en…",
    "pipeline default: an ingester is at work; /data/…",
    "now        loading",
    "records    1,140/s       ▅▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇████████",
    "backlog    12 files, 14.5 MiB, the oldest change…",
    "rejects    123, 0.2/s; newest 123: bad_price 100…",
  ]);
});

Deno.test("pipelines that do not fit have a line each, and what is left out is counted", () => {
  const pipelines = ["a", "b", "c", "d"].map((name) => pipelinePicture({ name }));
  assertEquals(frame(viewOf(pipelines), 60, 4), [
    "pgsluice status  2026-03-14T10:22:31Z  Ctrl-C ends",
    "a: 1,140 records/s; 111.3 KiB/s; 1,234,567 loaded, 123 rej…",
    "b: 1,140 records/s; 111.3 KiB/s; 1,234,567 loaded, 123 rej…",
    "… and 2 more pipelines",
  ]);
  assertEquals(frame(viewOf(pipelines), 60, 5).length, 5);
  assertEquals(frame(viewOf(pipelines.slice(0, 2)), 60, 5).map((line) => line.slice(0, 10)), [
    "pgsluice s",
    "pipeline a",
    "now       ",
    "pipeline b",
    "now       ",
  ]);
});

Deno.test("no line is wider than the screen and no frame higher, whatever they are", () => {
  const odd = pipelinePicture({
    name: "注文\x1b[2J\n",
    sourcePath: `/データ/${"長い名前".repeat(20)}`,
    totals: null,
    folder: null,
    journal: null,
  });
  const views = [
    viewOf([]),
    viewOf([odd]),
    viewOf([odd, pipelinePicture(), odd]),
    viewOf([odd], { outage: outage(5_000, "no\x1b answer ".repeat(30)) }),
    viewOf([pipelinePicture()], { ageMs: 60_000 }),
    { picture: null, ageMs: 0, outage: null },
  ];
  for (const view of views) {
    for (let columns = 1; columns < 140; columns += 7) {
      for (let rows = 1; rows < 50; rows += rows < 8 ? 1 : 5) {
        const lines = frame(view, columns, rows);
        assert(lines.length > 0 && lines.length <= rows, `${lines.length} lines on ${rows} rows`);
        for (const line of lines) {
          assert(displayWidth(line) <= Math.max(1, columns - 1), `${columns}: ${line}`);
          // deno-lint-ignore no-control-regex
          assert(!/[\x00-\x1f]/.test(line), JSON.stringify(line));
        }
      }
    }
  }
});

Deno.test("while the database is away, its last picture stays with its age", () => {
  const reason = `connecting to postgresql://${"h".repeat(80)}/d: nothing listens there`;
  const view = viewOf([pipelinePicture()], {
    ageMs: 13_200,
    outage: outage(12_300, reason),
  });
  const lines = frame(view, 60, 20);
  assertEquals(lines.slice(1, 4), [
    "database away for 12.3 s, trying again; this is how it was…",
    `…${"h".repeat(33)}/d: nothing listens there`,
    'pipeline default: an ingester is at work; /data/events → "…',
  ]);
  assertEquals(frame({ picture: null, ageMs: 0, outage: outage(1, reason) }, 60, 20).length, 4);
});

Deno.test("a picture that is old though the connection stands says so", () => {
  assertEquals(
    frame(viewOf([pipelinePicture()], { ageMs: 5_000 }), 80, 24)[1],
    "the database takes its time; this is how it was 5.0 s ago",
  );
});

Deno.test("a journal that is not level and an ingester that stands by are seen", () => {
  const pipeline = pipelinePicture({
    journal: {
      kind: "unwritten",
      detail: "an ingester is at work, and does not write it",
      hint: "",
      directory: "",
      filesDiffering: 1,
    },
  });
  const view: WatchView = {
    picture: { atMs: AT_MS, standbys: 1, pipelines: [pipeline], otherNames: [] },
    ageMs: 1,
    outage: null,
  };
  const text = frame(view, 100, 5).join("\n");
  assertStringIncludes(text, "  1 ingester stands by  ");
  assertStringIncludes(text, "\njournal    unwritten: an ingester is at work");
});
