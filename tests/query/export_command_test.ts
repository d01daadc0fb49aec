/** `pgsluice export` as people call it: files, pipes and signals, and the way back in. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { Buffer } from "node:buffer";
import { exportCommand } from "../../src/cli/export.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { withOwnPlace } from "../outage/own_place.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLines,
  HEADER,
  ingestOnce,
  type IngestPlace,
  verifyExact,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { type CommandRun, runCommand } from "../support/run_command.ts";
import { testDatabase } from "../support/test_database.ts";
import { until } from "../support/until.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
/** So that a script reads as a user's does. */
const PRELUDE = `
set -o pipefail
pgsluice() { "$DENO" run --quiet --no-check -A "$MAIN" "$@"; }
`;
/** More than all pipes and buffers on the way hold. */
const MANY = 60_000;

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function environmentOf(place: IngestPlace): Record<string, string> {
  return {
    DENO: Deno.execPath(),
    MAIN,
    NO_COLOR: "1",
    DATABASE_URL: place.database.url,
    PGSLUICE_HOME: place.home,
  };
}

async function bash(
  place: IngestPlace,
  script: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", PRELUDE + script],
    cwd: place.home,
    env: { ...environmentOf(place), ...environment },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** In this process. */
async function runExport(place: IngestPlace, ...args: readonly string[]): Promise<CommandRun> {
  return await runCommand(exportCommand, "--database", place.database.url, ...args);
}

async function load(place: IngestPlace, count: number): Promise<void> {
  await writeEvents(place, `${count}.csv`, csvText(eventLines(0, count)));
  await ingestOnce(place);
}

/** All that a table holds of the events themselves. */
async function contentOf({ database: { sql } }: Pick<IngestPlace, "database">): Promise<string> {
  const rows = await sql`
    select to_jsonb(e) - 'file_id' - 'line_number' - 'ingested_at' as row
    from user_events e
    order by event_id`;
  return JSON.stringify(rows.map(({ row }) => row), null, 1);
}

const NASTY_NAMES = [
  "Lamp",
  '"5"" lamp"',
  '5" lamp',
  '"a,b"',
  '"two\nlines"',
  '"two\r\nlines"',
  '"a\rb"',
  '"""quoted"""',
  "\\N",
  "\\.",
  " blanks around ",
  "NULL",
  "naïve – 5″ 🛒",
  "\u2028",
  "tab\there",
  "",
  '""',
];

function nastyCsv(): string {
  const lines = NASTY_NAMES.map((name, index) =>
    `0193e9a0-7c1b-7abc-8def-${String(index).padStart(12, "0")},` +
    `2026-03-29 01:59:59.${String(index).padStart(6, "0")},view,9223372036854775807,` +
    `${index + 1},${name},${index % 2 === 0 ? "" : "Home"},${index}.5,${index % 3 || ""}`
  );
  return [HEADER, ...lines].map((line) => line + "\n").join("");
}

ingestCase("what is exported is loaded again as the same rows", async (place) => {
  await writeEvents(place, "nasty.csv", nastyCsv());
  const loaded = await ingestOnce(place, { timeZone: "Europe/Berlin" });
  assertEquals([loaded.loaded, loaded.rejected], [NASTY_NAMES.length, 0]);
  await using other = await testDatabase();
  const script = `
    pgsluice export out.csv --quiet &&
    pgsluice export --quiet | cmp - out.csv &&
    pgsluice export --quiet |
      pgsluice ingest - --quiet --source-id copy --database "$OTHER" --timezone Europe/Berlin`;
  const run = await bash(place, script, { OTHER: other.url });
  assertEquals(run, { code: 0, stdout: "", stderr: "" });
  const there = { ...place, database: other };
  assertEquals(await contentOf(there), await contentOf(place));
  await verifyExact(there, "stdin");
  // and where they come from nothing is loaded twice
  await Deno.rename(join(place.home, "out.csv"), join(place.events, "out.csv"));
  const again = await ingestOnce(place, { timeZone: "Europe/Berlin" });
  assertEquals([again.loaded, again.rejected, again.duplicate], [0, 0, NASTY_NAMES.length]);
});

ingestCase("what was generated is exported byte by byte", async (place) => {
  const { code, stderr } = await bash(
    place,
    `pgsluice generate events --events 5000 --rows-per-file 1000 --seed 3 --start 2026-03-01 --quiet
     pgsluice ingest events --once --quiet
     pgsluice export --quiet | sort > exported
     (head -qn 1 events/*.csv | head -n 1; tail -qn +2 events/*.csv) | sort | cmp - exported`,
  );
  assertEquals([code, stderr], [0, ""]);
});

ingestCase("JSON lines are the rows", async (place) => {
  await writeEvents(place, "nasty.csv", nastyCsv());
  await ingestOnce(place);
  const { output } = await runExport(place, "--format", "ndjson");
  const rows = await place.database.sql`
    select event_id, to_char(event_timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') as at,
      product_name, category, price::float8 as price, quantity
    from user_events
    order by ctid`;
  const lines = output.split("\n").slice(0, -1);
  const objects = lines.map((line) => JSON.parse(line));
  assertEquals(
    objects.map(({ event_id, event_timestamp, product_name, category, price, quantity }) => ({
      event_id,
      at: event_timestamp.slice(0, -1).padEnd(26, "0"),
      product_name,
      category,
      price,
      quantity,
    })),
    rows.map((row) => ({ ...row })) as never,
  );
  // a double would have rounded it
  for (const line of lines) assertStringIncludes(line, '"user_id":9223372036854775807,');
});

ingestCase("a text that is empty is told from none, as far as CSV can", async (place) => {
  await load(place, 2);
  const { sql } = place.database;
  await sql`update user_events set product_name = '', category = null`;
  const csv = (await runExport(place)).output;
  assertMatch(csv.split("\n")[1]!, /,"",,12\.50,1$/);
  const ndjson = (await runExport(place, "--format", "ndjson")).output;
  assertStringIncludes(ndjson, '"product_name":"","category":null');
});

ingestCase("export FILE appears when it is whole, and overwrites nothing", async (place) => {
  await load(place, 100);
  const path = join(place.home, "events.csv");
  const { exitCode, output } = await runExport(place, path);
  assertEquals([exitCode, output], [0, ""]);
  const text = await Deno.readTextFile(path);
  assertEquals(text, (await runExport(place, "-")).output);
  const error = await assertRejects(() => runExport(place, path), PgsluiceError);
  assertEquals([error.code, error.message], [
    "export-file",
    `cannot write ${path}: it is there already`,
  ]);
  assertEquals(await Deno.readTextFile(path), text);
  const nowhere = await assertRejects(
    () => runExport(place, join(place.home, "no/such/folder.csv")),
    PgsluiceError,
  );
  assertEquals(nowhere.code, "export-file");
  // what fails half-way leaves nothing
  await place.database.sql`alter table user_events rename column price to cost`;
  await assertRejects(() => runExport(place, join(place.home, "other.csv")), PgsluiceError);
  const names = [...Deno.readDirSync(place.home)].map(({ name }) => name).sort();
  assertEquals(names, ["checkpoints", "events", "events.csv"]);
});

ingestCase("a disk that is full is said, and nothing is left", async (place) => {
  await load(place, MANY);
  const { code, stderr } = await bash(
    place,
    // files end at 512 KiB, as if there were no more room
    `trap '' XFSZ; ulimit -f 512; pgsluice export events.csv --quiet`,
  );
  assertEquals(code, 1);
  assertMatch(stderr, /^error: cannot write events\.csv: .* \[export-file\]\ntry: name a new file/);
  assertEquals([...Deno.readDirSync(place.home)].map(({ name }) => name).sort(), [
    "checkpoints",
    "events",
  ]);
});

ingestCase("an export tells on stderr what it wrote", async (place) => {
  await load(place, 150);
  const said = async (args: string) => {
    const { code, stderr } = await bash(place, `pgsluice export ${args} > out`);
    assertEquals(code, 0, stderr);
    return stderr.replace(/in [^(]+ \([^)]+\)/, "in …");
  };
  assertEquals(await said(""), "exported 150 rows, 13.9 KiB, in …: all there is\n");
  assertEquals(
    await said("events.csv --since 2026-03-14T10:00:10Z --until 2026-03-14T10:00:11"),
    "exported 1 row, 186 B, in … to events.csv: " +
      "2026-03-14 10:00:10 to 2026-03-14 10:00:11 (UTC)\n",
  );
  assertEquals(
    await said("--since 1m"),
    "exported 30 rows, 2.9 KiB, in …: 2026-03-14 10:02 to 2026-03-14 10:03 (UTC)\n",
  );
  assertEquals(await said("--quiet"), "");
  await Deno.remove(join(place.home, "events.csv"));
  const { live } = await runExport(place, join(place.home, "events.csv"));
  assertMatch(live.at(-1)!, /^exporting: 150 rows, 13\.9 KiB, [\d,]+ rows\/s, [\d.]+ [KM]iB\/s$/);
});

ingestCase("times without an offset are those of the pipeline's time zone", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 60)));
  await ingestOnce(place, { timeZone: "Europe/Berlin" });
  const rows = async (...args: readonly string[]) =>
    (await runExport(place, ...args)).output.split("\n").length - 2;
  assertEquals(await rows("--since", "2026-03-14T11:00:30"), 30);
  assertEquals(await rows("--since", "2026-03-14T10:00:30Z"), 30);
  assertEquals(await rows("--until", "2026-03-14T11:00:45"), 45);
  assertEquals(await rows("--since", "15s"), 0 + 15);
});

ingestCase("what an export cannot be asked is said, with what to do", async (place) => {
  await load(place, 10);
  const fault = async (...args: readonly string[]) => {
    const error = await assertRejects(() => runExport(place, ...args), PgsluiceError);
    return [error.code, error.exitCode, error.message];
  };
  assertEquals(await fault("--since", "yesterday"), [
    "usage",
    2,
    "--since: expected a duration such as 1h or 30d, or a date or a date and time such as " +
    '2025-01-31 or 2025-01-31T08:00, got "yesterday"',
  ]);
  assertEquals(await fault("--until", "1h"), [
    "usage",
    2,
    '--until: expected a date or a date and time such as 2025-01-31 or 2025-01-31T08:00, got "1h"',
  ]);
  assertEquals(await fault("--since", "2026-03-14", "--until", "2026-03-13"), [
    "empty-window",
    2,
    "export: its window would begin at 2026-03-14T00:00:00Z and end at 2026-03-13T00:00:00Z",
  ]);
  assertEquals(await fault("--format", "xml"), [
    "usage",
    2,
    '--format: expected one of table, csv, json, ndjson, markdown, got "xml"',
  ]);
  assertEquals(await fault("--format", "markdown"), [
    "usage",
    2,
    '--format: an export is csv or ndjson, got "markdown"',
  ]);
  assertEquals((await fault("--pipeline", "other"))[0], "no-such-pipeline");
});

ingestCase(
  "a variable that is meant for query does not keep an export from its own format",
  async (place) => {
    await load(place, 1);
    for (
      const [value, beginning] of [["markdown", "event_id,"], ["ndjson", '{"event_id":']] as const
    ) {
      const { code, stdout } = await bash(place, "pgsluice export --quiet", {
        PGSLUICE_FORMAT: value,
      });
      assertEquals([code, stdout.slice(0, beginning.length)], [0, beginning]);
    }
  },
);

ingestCase("where nothing was loaded yet an export says so, and makes nothing", async (place) => {
  const home = join(place.home, "empty");
  await Deno.mkdir(home);
  const { code, stdout, stderr } = await bash(
    place,
    "cd empty && pgsluice export events.csv",
    { DATABASE_URL: "", PGSLUICE_HOME: home },
  );
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^error: there is no database yet.* \[no-ledger\]\n/);
  assertEquals([...Deno.readDirSync(home)], []);
});

interface StalledExport {
  readonly child: Deno.ChildProcess;
  /** Reads what there is, to its end. */
  outcome(): Promise<Run>;
}

/** An export to a pipe of which the beginning was read, and no more until the test says so. */
async function stalledExport(place: IngestPlace): Promise<StalledExport> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", MAIN, "export"],
    cwd: place.home,
    env: environmentOf(place),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const pieces: Uint8Array[] = [];
  const readOn = async (): Promise<boolean> => {
    const { value } = await reader.read();
    if (value !== undefined) pieces.push(value);
    return value !== undefined;
  };
  assert(await readOn());
  await untilServerWaits(place);
  return {
    child,
    async outcome() {
      const stderr = new Response(child.stderr).text();
      while (await readOn());
      const { code } = await child.status;
      return { code, stdout: Buffer.concat(pieces).toString(), stderr: await stderr };
    },
  };
}

async function untilServerWaits({ database: { sql } }: IngestPlace): Promise<void> {
  await until("the server waits", async () => {
    const [row] = await sql<{ waits: boolean }[]>`
      select wait_event = 'ClientWrite' as waits
      from pg_stat_activity
      where application_name = 'pgsluice exporting events' and datname = current_database()`;
    return row?.waits === true;
  });
}

async function untilGone({ database: { sql } }: IngestPlace): Promise<void> {
  await until("the server has ended it", async () => {
    const sessions = await sql`
      select from pg_stat_activity
      where application_name = 'pgsluice exporting events' and datname = current_database()`;
    return sessions.length === 0;
  });
}

ingestCase("a reader that has enough ends an export without an error", async (place) => {
  await load(place, MANY);
  const { code, stdout, stderr } = await bash(
    place,
    `pgsluice export | head -n 1; echo "\${PIPESTATUS[@]}"
     pgsluice export --format ndjson | head -n 1 | wc -l`,
  );
  assertEquals({ code, stdout, stderr }, { code: 0, stdout: `${HEADER}\n0 0\n1\n`, stderr: "" });
  await untilGone(place);
});

for (const [signal, exitCode] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  ingestCase(
    `${signal} ends an export, and tells that the output is not complete`,
    async (place) => {
      await load(place, MANY);
      const whole = (await runExport(place)).output;
      const { child, outcome } = await stalledExport(place);
      child.kill(signal);
      const { code, stdout, stderr } = await outcome();
      assertEquals(code, exitCode);
      const [stopping, incomplete, ...more] = stderr.split("\n");
      assertEquals([stopping, more], ["stopping; once more to abort", [""]]);
      assertMatch(
        incomplete!,
        /^the output is not complete, and (?:ends after .*, with a whole line|may end within a line, .*)$/,
      );
      if (incomplete!.endsWith("with a whole line")) assert(stdout.endsWith("\n"));
      assert(whole.startsWith(stdout) && stdout.length < whole.length);
      await untilGone(place);
    },
  );
}

ingestCase("an export whose reader takes nothing ends by a signal all the same", async (place) => {
  await load(place, MANY);
  const { child, outcome } = await stalledExport(place);
  child.kill("SIGINT");
  assertEquals((await child.status).code, 130);
  assertMatch(
    (await outcome()).stderr,
    /\nthe output is not complete, and may end within a line, /,
  );
  await untilGone(place);
});

ingestCase("a signal leaves no file", async (place) => {
  await load(place, 10);
  // who has the table's lock keeps the export from its first row
  await place.database.sql.begin(async (holder) => {
    await holder`lock user_events`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "-A", MAIN, "export", "events.csv"],
      cwd: place.home,
      env: environmentOf(place),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await until("it waits for the lock", async () => {
      // the holder's transaction would see what it saw first
      const [row] = await place.database.sql<{ waits: boolean }[]>`
        select wait_event_type = 'Lock' as waits
        from pg_stat_activity
        where application_name = 'pgsluice exporting events' and datname = current_database()`;
      return row?.waits === true;
    });
    child.kill("SIGINT");
    assertEquals((await child.status).code, 130);
    await untilGone(place);
  });
  const names = [...Deno.readDirSync(place.home)].map(({ name }) => name).sort();
  assertEquals(names, ["checkpoints", "events"]);
});

Deno.test("a server that crashes in the middle of an export ends it with an error", async () => {
  await withOwnPlace(async (place) => {
    await load(place, MANY);
    const { outcome } = await stalledExport(place);
    await place.server.stop("immediate");
    const { code, stdout, stderr } = await outcome();
    assertEquals(code, 1);
    const [first, second] = stderr.split("\n");
    assertMatch(first!, /^the output is not complete, and /);
    assertMatch(second!, /^error: exporting events in postgresql:.*\[database-unreachable\]$/);
    if (first!.endsWith("with a whole line")) assert(stdout.endsWith("\n"));
    assert(stdout.startsWith(`${HEADER}\n`));
    assert(stdout.split("\n").length < MANY);
  });
});
