import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { IngestLog } from "../../src/cli/ingest_log.ts";
import type { LogLine } from "../../src/cli/log_line.ts";
import { RepeatLimit } from "../../src/cli/repeat_limit.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { csvText, eventLines, type IngestPlace, writeEvents } from "../support/ingest_fixture.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

Deno.test("of one kind 20 lines pass in a minute, of others as many, and those held back are counted", () => {
  const limit = new RepeatLimit();
  const passed = (kind: string, count: number, atMs: number) =>
    Array.from({ length: count }, () => limit.passes(kind, atMs)).filter(Boolean).length;
  assertEquals(passed("failed", 500, 0), 20);
  assertEquals(passed("outage", 1, 10), 1);
  assertEquals(limit.takeOver(59_999), []);
  assertEquals(limit.takeOver(60_000), [{ kind: "failed", heldBack: 480 }]);
  assertEquals(passed("failed", 1, 60_000), 1);
  assertEquals(limit.takeOver(), []);
});

Deno.test("files that fail by the hundred are 20 lines and a count; an outage between them shows", () => {
  const lines: LogLine[] = [];
  const log = new IngestLog({ log: (line) => lines.push(line) });
  for (let index = 0; index < 300; index++) {
    log.fileTrouble({
      path: `${index}.csv`,
      state: "failed",
      code: "not_csv",
      reason: "it is a picture",
    });
  }
  log.outage({ error: new Error("gone"), awayMs: 0, hasStood: true });
  log.close();
  assertEquals(lines.length, 22);
  assertEquals(lines[20]!.event, "database_down");
  assertEquals(lines[21]!.fields, { of: "file_failed", lines: 280 });
});

Deno.test("a file that is not loaded is one line with what to do", () => {
  const said = (state: "failed" | "held", code: string | null, reason: string) => {
    const lines: LogLine[] = [];
    new IngestLog({ log: (line) => lines.push(line) })
      .fileTrouble({ path: "a.csv", state, code, reason });
    const [{ level, event, message, fields }] = lines as [LogLine];
    return { level, event, message, fields };
  };
  const budget = said("failed", "too_many_rejects", "120 of its 5000 records are rejects");
  assertEquals([budget.level, budget.event], ["warning", "file_failed"]);
  assertStringIncludes(budget.message, "raise --max-rejects");
  assertEquals(budget.fields!.file, "a.csv");
  assertStringIncludes(said("failed", "not_csv", "it is a picture").message, "mend it");
  assertStringIncludes(
    said("held", null, "replaced: other bytes").message,
    "pgsluice files reload",
  );
});

interface Ended {
  readonly code: number;
  readonly stderr: string;
}

async function ingestProcess(
  place: IngestPlace,
  { args, journal = false }: { args: readonly string[]; journal?: boolean },
): Promise<Ended> {
  const path = join(place.home, "stderr");
  await Deno.writeTextFile(path, "");
  const { dev, ino } = await Deno.stat(path);
  // the shell opens the file, as systemd opens its socket
  const { code } = await new Deno.Command("sh", {
    args: [
      "-c",
      'exec "$@" 2>"$STDERR_FILE"',
      "sh",
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-check",
      "-A",
      MAIN,
      "ingest",
      ...args,
      `--database=${place.database.url}`,
      `--checkpoints=${join(place.home, "checkpoints")}`,
    ],
    env: {
      NO_COLOR: "1",
      STDERR_FILE: path,
      JOURNAL_STREAM: journal ? `${dev}:${ino}` : "1:2",
    },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return { code, stderr: await Deno.readTextFile(path) };
}

ingestCase(
  "--log-format json: each line on stderr is a fact as an object, the last error too",
  async (place) => {
    await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
    await writeEvents(place, "b.csv", "<html>\n");
    const args = [place.events, "--once", "--log-format=json", "--log-level=debug"];
    const { code, stderr } = await ingestProcess(place, { args });
    assertEquals(code, 3, stderr);
    const lines = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
    for (const { time, level, message } of lines) {
      assert(Math.abs(Date.parse(time) - Date.now()) < 600_000, time);
      assert(["error", "warning", "info", "debug"].includes(level), level);
      assert(message.length > 0);
    }
    const ofKind = (event: string) => lines.filter((line) => line.event === event);
    assertEquals(ofKind("started")[0].source, place.events);
    assertEquals(ofKind("file_failed").map(({ file }) => file), ["b.csv"]);
    const [{ file, loaded, files, read_ms, commit_ms }] = ofKind("committed");
    assertEquals([file, files, loaded], ["a.csv", 1, 10]);
    assert(read_ms > 0 && commit_ms > 0);
    assertEquals(ofKind("finished")[0].loaded, 10);

    const failed = await ingestProcess(place, {
      args: [join(place.home, "none"), "--once", "--log-format=json"],
    });
    assertEquals(failed.code, 1);
    const { event, code: name, hint } = JSON.parse(failed.stderr);
    assertEquals([event, name], ["failed", "source-folder"]);
    assert(hint.length > 0);
  },
);

ingestCase(
  "systemd's journal gets priorities, and only where it reads stderr itself",
  async (place) => {
    await writeEvents(place, "b.csv", "<html>\n");
    const args = [place.events, "--once"];
    const inJournal = await ingestProcess(place, { args, journal: true });
    assertEquals(inJournal.code, 3, inJournal.stderr);
    const lines = inJournal.stderr.trimEnd().split("\n");
    assert(lines.every((line) => /^<[346]>./.test(line)), inJournal.stderr);
    assert(lines.some((line) => line.startsWith("<4>b.csv: failed")), inJournal.stderr);
    const elsewhere = await ingestProcess(place, { args });
    assert(!/^</m.test(elsewhere.stderr), elsewhere.stderr);
  },
);

ingestCase("--log-level warning leaves out what went well", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await writeEvents(place, "b.csv", "<html>\n");
  const { stderr } = await ingestProcess(place, {
    args: [place.events, "--once", "--log-level=warning"],
  });
  const lines = stderr.trimEnd().split("\n");
  assertEquals(lines.length, 1, stderr);
  assert(lines[0]!.startsWith("b.csv: failed"), stderr);
});
