import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { displayWidth } from "../../src/cli/display_width.ts";
import { statusCommand } from "../../src/cli/status.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { withOwnPlace } from "../outage/own_place.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLines,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { runCommand } from "../support/run_command.ts";
import { HAS_PSEUDO_TERMINAL, WatchingProcess } from "./watching_process.ts";

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const SIZE = { columns: 90, rows: 20 };

if (!HAS_PSEUDO_TERMINAL) console.warn("no `script` of util-linux: nothing is tried on a terminal");

async function loadFiles(place: IngestPlace, from: number, until: number): Promise<void> {
  for (let file = from; file < until; file++) {
    await writeEvents(place, `${file}.csv`, csvText(eventLines(file * 200, file * 200 + 200)));
  }
}

ingestCase(
  "a screen follows a load to its last record, and is given back at SIGTERM",
  async (place) => {
    const running = ingestWatching(place);
    await running.heard.until(() => running.heard.starts === 1);
    await using watching = WatchingProcess.onTerminal(place, SIZE);
    await watching.until("it is drawn", () => watching.frame.includes("files      none"));
    await loadFiles(place, 0, 10);
    await writeEvents(place, "bad.csv", csvText(["1,2,3"]));
    await watching.until(
      "all is counted",
      () => watching.frame.some((line) => line.startsWith("loaded     2,000 records,")),
    );
    await watching.until(
      "the reject is named",
      () => watching.frame.some((line) => /^rejects +1, .*; newest 1: short_record 1$/.test(line)),
    );
    await watching.until(
      "its seconds are drawn",
      () => watching.frame.some((line) => /^records .*█.* mean [\d.]+\/s$/.test(line)),
    );
    await watching.until(
      "it is idle",
      () => watching.frame.some((line) => /^now +idle: nothing new since /.test(line)),
    );
    assertEquals(watching.frame.length, 14);
    await watching.resize({ columns: 40, rows: 6 });
    await watching.until("it follows the terminal", () => watching.frame.length === 6);
    assertEquals(watching.frame.filter((line) => displayWidth(line) > 39), []);
    await watching.signal("SIGTERM");
    assertEquals(await watching.ended(), 0);
    assertEquals(watching.output.split(ENTER).length, 2);
    assert(watching.output.trimEnd().endsWith(LEAVE));
    assertEquals(watching.output.includes("\x1b[2J"), false);
    await running.stop();
  },
  { ignore: !HAS_PSEUDO_TERMINAL },
);

ingestCase(
  "a watch that is stopped gives the screen back, and takes it again when it goes on",
  async (place) => {
    await loadFiles(place, 0, 1);
    await ingestOnce(place);
    await using watching = WatchingProcess.onTerminal(place, SIZE);
    await watching.until(
      "it is drawn",
      () => watching.frame[2] === "now        idle: no ingester is running",
    );
    await watching.signal("SIGTSTP");
    await watching.stopped();
    // `script` may stop a little later than its child, and again
    await watching.until("it is back", async () => {
      await watching.goOn();
      return watching.output.split(ENTER).length === 3;
    });
    assert(watching.output.includes(LEAVE + ENTER));
    await watching.signal("SIGINT");
    assertEquals(await watching.ended(), 0);
    assert(watching.output.trimEnd().endsWith(LEAVE));
  },
  { ignore: !HAS_PSEUDO_TERMINAL },
);

ingestCase("in a pipe a watch writes a line a pipeline, and JSON if asked", async (place) => {
  await loadFiles(place, 0, 2);
  await ingestOnce(place);
  await ingestOnce(place, { pipelineName: "other", table: "other_events" });
  await using watching = WatchingProcess.inPipe(place);
  await watching.until("lines come", () => watching.lines.length >= 6);
  assertMatch(
    watching.lines[0]!,
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ default: .+ records\/s; .+\/s; 400 loaded, 0 rejected, 0 duplicates; backlog none; /,
  );
  assertStringIncludes(watching.lines[1]!, "Z other: ");
  await watching.signal("SIGINT");
  assertEquals(await watching.ended(), 0);

  await using asked = WatchingProcess.inPipe(place, "--json", "--pipeline", "default");
  await asked.until("objects come", () => asked.lines.length >= 3);
  const objects = asked.lines.map((line) => JSON.parse(line));
  for (const { name, loaded, filesByState, backlog, hasOwner, journal } of objects) {
    assertEquals(
      { name, loaded, filesByState, files: backlog.files, hasOwner, journal: journal.kind },
      {
        name: "default",
        loaded: 400,
        filesByState: { done: 2 },
        files: 0,
        hasOwner: false,
        journal: "level",
      },
    );
  }
  assert(objects[0].atMs < objects[2].atMs);
  await asked.signal("SIGTERM");
  assertEquals(await asked.ended(), 0);
});

ingestCase("a watch whose reader goes away ends quietly", async (place) => {
  await loadFiles(place, 0, 1);
  await ingestOnce(place);
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: [
      "-c",
      'set -o pipefail; "$@" | head -n 1',
      "bash",
      ...[Deno.execPath(), "run", "--quiet", "--no-check", "-A"],
      ...[new URL("../../main.ts", import.meta.url).pathname, "status", "--watch"],
      ...["--interval", "100ms", "--database", place.database.url],
    ],
  }).output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  assertEquals(new TextDecoder().decode(stdout).split("\n").length, 2);
});

Deno.test("a watch goes on over a restart of the server, and keeps the last picture", async () => {
  await withOwnPlace(async (place) => {
    await loadFiles(place, 0, 1);
    await ingestOnce(place);
    await using watching = WatchingProcess.inPipe(place, "--json");
    const last = () => JSON.parse(watching.lines.at(-1) ?? "{}");
    await watching.until("it watches", () => last().loaded === 200);
    await place.server.stop("immediate");
    await watching.until(
      "the outage is told",
      () => last().outage?.reason.startsWith("connecting to ") === true,
    );
    await place.server.start();
    await place.reconnect();
    await watching.until("it is back", () => last().loaded === 200);
    await loadFiles(place, 1, 2);
    await ingestOnce(place);
    await watching.until("it goes on", () => last().loaded === 400);
    await watching.signal("SIGTERM");
    assertEquals(await watching.ended(), 0);
  });
});

ingestCase("what is wrong from the start ends a watch as it ends any command", async (place) => {
  await ingestOnce(place);
  const { url } = place.database;
  const cases = [
    [["--watch", "--database", url, "--pipeline", "shop"], "no-such-pipeline", 1],
    [["--watch", "--database", "postgresql:///x?host=/nowhere"], "database-unreachable", 1],
    [["--watch", "--database", url, "--interval", "10ms"], "usage", 2],
    [["--interval", "1s", "--database", url], "usage", 2],
  ] as const;
  for (const [args, code, exitCode] of cases) {
    const error = await assertRejects(() => runCommand(statusCommand, ...args), PgsluiceError);
    assertEquals([error.code, error.exitCode], [code, exitCode]);
  }
});
