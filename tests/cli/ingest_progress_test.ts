import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Terminal } from "../../src/cli/command.ts";
import { IngestProgress } from "../../src/cli/ingest_progress.ts";
import { IngestReporter } from "../../src/cli/ingest_reporter.ts";
import { noStages } from "../../src/sink/batch_stages.ts";
import { ingest } from "../../src/pipeline/ingest.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { csvText, eventLines, ingestOptions, writeEvents } from "../support/ingest_fixture.ts";

const MIB = 1024 * 1024;

/** Batches of a MiB and 10,000 records, one every `everyMs`. */
class SteadyLoad {
  readonly progress: IngestProgress;
  readonly #everyMs: number;
  nowMs = 0;
  leftBytes: number;

  constructor(options: { hasEnd: boolean; leftBytes: number; everyMs: number }) {
    this.progress = new IngestProgress({ hasEnd: options.hasEnd, startedMs: 0 });
    this.leftBytes = options.leftBytes;
    this.#everyMs = options.everyMs;
  }

  commit(batches: number, everyMs = this.#everyMs): string {
    for (let batch = 0; batch < batches; batch++) {
      this.nowMs += everyMs;
      this.leftBytes = Math.max(0, this.leftBytes - MIB);
      this.progress.committed({
        atMs: this.nowMs,
        records: 10_000,
        sizeBytes: MIB,
        backlogBytes: this.leftBytes,
      });
    }
    return this.progress.line(this.nowMs, "counts");
  }
}

Deno.test("a load that ends shows share, rates and the time left", () => {
  const load = new SteadyLoad({ hasEnd: true, leftBytes: 300 * MIB, everyMs: 100 });
  assertEquals(load.commit(60), "20 %  counts  100,000 records/s  10.0 MiB/s  24 s left");
  assertEquals(load.commit(60), "40 %  counts  100,000 records/s  10.0 MiB/s  18 s left");
  assertEquals(load.commit(180), "100 %  counts  100,000 records/s  10.0 MiB/s");
});

Deno.test("the time left follows the rate of the last seconds, and not each batch", () => {
  const load = new SteadyLoad({ hasEnd: true, leftBytes: 1_000 * MIB, everyMs: 100 });
  load.commit(500);
  // ten times as slow from here on: half the last ten seconds know of it, then all of them
  const leftMs = (line: string) => {
    const [, minutes = "0", seconds] = /(?:(\d+)m )?(\d+) ?s left$/.exec(line) ?? [];
    return (Number(minutes) * 60 + Number(seconds)) * 1000;
  };
  assertEquals(leftMs(load.commit(1, 1_000)), 55_000);
  const soon = leftMs(load.commit(4, 1_000));
  const later = leftMs(load.commit(10, 1_000));
  assert(soon > 60_000 && soon < 120_000, `${soon}`);
  assertEquals(later, 485_000);
});

Deno.test("the share never passes 100 %, and 100 % is all of it", () => {
  const progress = new IngestProgress({ hasEnd: true, startedMs: 0 });
  const step = { atMs: 5_000, records: 1, sizeBytes: 999_999 };
  progress.committed({ ...step, backlogBytes: 1 });
  assertMatch(progress.line(5_000, "counts"), /^99 % /);
  // files that grow while they are read, or are not loaded after all, change what there is
  progress.committed({ ...step, sizeBytes: 5_000_000, backlogBytes: 0 });
  assertMatch(progress.line(5_000, "counts"), /^100 % /);
});

Deno.test("no time is told before the rate is known, nor while nothing commits", () => {
  const load = new SteadyLoad({ hasEnd: true, leftBytes: 300 * MIB, everyMs: 100 });
  assertEquals(load.commit(5), "1 %  counts  100,000 records/s  10.0 MiB/s");
  const stalledMs = load.nowMs + 60_000;
  assertEquals(load.progress.line(stalledMs, "counts"), "1 %  counts  0 records/s  0 B/s");
});

Deno.test("a watched folder shows what waits, and a stream only its rates", () => {
  const watching = new SteadyLoad({ hasEnd: false, leftBytes: 60 * MIB, everyMs: 100 });
  assertEquals(watching.commit(50), "counts  100,000 records/s  10.0 MiB/s  10.0 MiB waiting");
  assertEquals(watching.commit(10), "counts  100,000 records/s  10.0 MiB/s");
  const stream = new IngestProgress({ hasEnd: false, startedMs: 0 });
  stream.committed({ atMs: 2_000, records: 4_000, sizeBytes: 2 * MIB, backlogBytes: null });
  assertEquals(stream.line(2_000, "counts"), "counts  2,000 records/s  1.0 MiB/s");
});

/** What a terminal was told to show below all else. */
class LiveTerminal implements Terminal {
  readonly shown: (string | null)[] = [];
  readonly stdoutIsTerminal = false;
  readonly columns = 80;
  constructor(readonly stderrIsTerminal: boolean) {}
  write(): Promise<void> {
    return Promise.resolve();
  }
  say(): void {}
  log(): void {}
  live(text: string | null): void {
    this.shown.push(text);
  }
}

ingestCase("a load of a folder climbs to 100 % on a terminal, file by file", async (place) => {
  // none of its bytes ever commit, and they are no part of what is left in the end
  await writeEvents(place, "0.csv", "<html>\n" + "x".repeat(200_000) + "\n");
  for (const name of ["a", "b", "c", "d"]) {
    const from = name.charCodeAt(0) * 1_000;
    await writeEvents(place, `${name}.csv`, csvText(eventLines(from, from + 1_000)));
  }
  const terminal = new LiveTerminal(true);
  const reporter = new IngestReporter(terminal, { hasEnd: true });
  await ingest(
    ingestOptions(place, { limits: { rows: 100, sizeBytes: 1e9, lingerMs: 20 } }),
    reporter,
  );
  const shares = terminal.shown.map((text) => Number(/^(\d+) %/.exec(text ?? "")?.[1]));
  assertEquals(shares.length, 40);
  assert(shares[0]! < 10, `${shares}`);
  assertEquals(shares.at(-1), 100);
  assert(shares.every((share, index) => share <= 100 && share >= (shares[index - 1] ?? 0)));
  reporter.sayEnd();
  assertEquals(terminal.shown.at(-1), null);
  const { stages, batches } = reporter.summary();
  assertEquals(batches, 40);
  for (const name of ["readMs", "decodeMs", "copyMs", "ledgerMs", "commitMs"] as const) {
    assert(stages[name] > 0, name);
  }
});

Deno.test("where stderr is no terminal no live line is made", () => {
  const terminal = new LiveTerminal(false);
  const reporter = new IngestReporter(terminal, { hasEnd: true });
  reporter.committed({
    files: [],
    loaded: 1,
    rejected: 0,
    duplicate: 0,
    sizeBytes: 1,
    rejectsByCode: new Map(),
    stages: noStages(),
    backlogBytes: 1,
  });
  assertEquals(terminal.shown, []);
});
