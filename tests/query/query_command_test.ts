/** `pgsluice query` as people call it, in this process, from the command line to the exit code. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { setColorEnabled } from "@std/fmt/colors";
import { displayWidth } from "../../src/cli/display_width.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { queryCommand } from "../../src/cli/query.ts";
import { reportError } from "../../src/cli/report_error.ts";
import { ProcessTerminal } from "../../src/cli/terminal.ts";
import { REPORTS } from "../../src/query/reports.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { ingestOnce, ingestWatching, writeEvents } from "../support/ingest_fixture.ts";
import { csvText, eventLines } from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";
import { until } from "../support/until.ts";
import { type Shop, shopCase } from "./shop.ts";

interface QueryRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface QueryOptions {
  /** Stdout is a terminal so wide. */
  readonly columns?: number;
  readonly signal?: AbortSignal;
}

async function query(
  args: readonly string[],
  { columns, signal = new AbortController().signal }: QueryOptions = {},
): Promise<QueryRun> {
  const written = { stdout: "", stderr: "" };
  const decoder = new TextDecoder();
  const take = (name: "stdout" | "stderr") => (bytes: Uint8Array) => {
    written[name] += decoder.decode(bytes);
    return bytes.length;
  };
  const terminal = new ProcessTerminal({
    stdout: { write: (bytes) => Promise.resolve(take("stdout")(bytes)) },
    stderr: { writeSync: take("stderr") },
    stdoutIsTerminal: columns !== undefined,
    stderrIsTerminal: columns !== undefined,
    columns: () => columns ?? 80,
  });
  setColorEnabled(false);
  const code = await dispatch(["query", ...args], {
    commands: [queryCommand],
    terminal,
    environment: () => undefined,
    watchSignals: () => signal,
  }).catch((error) => reportError(error, { terminal, debug: false }));
  return { code, ...written };
}

async function ask({ place }: Shop, ...args: readonly string[]): Promise<QueryRun> {
  return await query(["--database", place.database.url, ...args]);
}

/** With what varies from run to run replaced. */
function timeless(text: string): string {
  return text.replace(/\d+(?:\.\d+)? (?:ms|s)\b/g, "N ms");
}

function lines(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

shopCase("a report is a table, and what it is about is told on stderr", async (shop) => {
  const { code, stdout, stderr } = await ask(
    shop,
    "traffic",
    "--since",
    "2024-03-31T03:00",
    "--until",
    "2024-03-31T06:00",
  );
  assertEquals([code, lines(stdout)], [0, [
    "hour (Europe/Berlin)  events  views  purchases  units  revenue  order_value",
    "2024-03-31 03:00           4      2          2     12    39.90        19.95",
    "2024-03-31 04:00           0      0          0      0     0.00",
    "2024-03-31 05:00           3      1          2      2    35.50        17.75",
  ]]);
  assertEquals(
    timeless(stderr),
    "traffic by hour of pipeline default, 2024-03-31 03:00 to 2024-03-31 06:00 (Europe/Berlin); " +
      "3 rows in N ms\n",
  );
  const quiet = await ask(
    shop,
    "traffic",
    "--since",
    "2024-03-31T03:00",
    "--until",
    "2024-03-31T06:00",
    "--quiet",
  );
  assertEquals(quiet, { code: 0, stdout, stderr: "" });
});

shopCase("a report in the formats for programs has the values themselves", async (shop) => {
  const window = ["--since", "2024-03-31T03:00", "--until", "2024-03-31T05:00"];
  const run = async (format: string) => {
    const { code, stdout } = await ask(shop, "traffic", ...window, "--format", format);
    assertEquals(code, 0);
    return stdout;
  };
  assertEquals(lines(await run("csv")), [
    "hour,events,views,purchases,units,revenue,order_value",
    "2024-03-31T01:00:00Z,4,2,2,12,39.90,19.95",
    "2024-03-31T02:00:00Z,0,0,0,0,0,",
  ]);
  assertEquals(lines(await run("ndjson")), [
    '{"hour":"2024-03-31T01:00:00Z","events":4,"views":2,"purchases":2,"units":12,' +
    '"revenue":"39.90","order_value":"19.95"}',
    '{"hour":"2024-03-31T02:00:00Z","events":0,"views":0,"purchases":0,"units":0,' +
    '"revenue":"0","order_value":null}',
  ]);
  assertEquals(lines(await run("markdown")), [
    "| hour (Europe/Berlin) | events | views | purchases | units | revenue | order_value |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    "| 2024-03-31 03:00 | 4 | 2 | 2 | 12 | 39.90 | 19.95 |",
    "| 2024-03-31 04:00 | 0 | 0 | 0 | 0 | 0.00 |  |",
  ]);
  const { rows, columns, tookMs, ...facts } = JSON.parse(await run("json"));
  assertEquals(facts, {
    report: "traffic",
    pipeline: "default",
    timeZone: "Europe/Berlin",
    window: { since: "2024-03-31T01:00:00Z", until: "2024-03-31T03:00:00Z" },
    by: "hour",
  });
  assertEquals([columns.length, columns[5].name, columns[5].unit], [7, "revenue", "money"]);
  assertEquals(rows[1], {
    hour: "2024-03-31T02:00:00Z",
    events: 0,
    views: 0,
    purchases: 0,
    units: 0,
    revenue: "0",
    order_value: null,
  });
  assert(tookMs > 0);
  const { tookMs: _, ...byJson } = JSON.parse(
    (await ask(shop, "traffic", ...window, "--json")).stdout,
  );
  assertEquals(byJson, { ...facts, columns, rows });
});

shopCase(
  "--since is a duration before the end, or an instant of the pipeline's zone",
  async (shop) => {
    const windowOf = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await ask(
        shop,
        "traffic",
        "--by",
        "minute",
        "--json",
        ...args,
      );
      assertEquals(code, 0, stderr);
      const { since, until } = JSON.parse(stdout).window;
      return [since, until];
    };
    // the newest event is of 22:31:20 UTC
    assertEquals(await windowOf("--since", "30m"), [
      "2024-03-31T22:02:00Z",
      "2024-03-31T22:32:00Z",
    ]);
    assertEquals(await windowOf("--since", "2024-04-01"), [
      "2024-03-31T22:00:00Z",
      "2024-03-31T22:32:00Z",
    ]);
    assertEquals(await windowOf("--since", "2024-03-31T22:30Z", "--until", "2024-04-01 00:31"), [
      "2024-03-31T22:30:00Z",
      "2024-03-31T22:31:00Z",
    ]);
    assertEquals(await windowOf("--since", "5m", "--until", "2024-03-31T05:20"), [
      "2024-03-31T03:15:00Z",
      "2024-03-31T03:20:00Z",
    ]);
  },
);

shopCase("every report can be asked, on every terminal, and fits it", async ({ place }) => {
  for (const { name, groupings } of REPORTS.values()) {
    for (const by of groupings.length === 0 ? [[]] : groupings.map((by) => ["--by", by])) {
      for (const columns of [40, 80, 200]) {
        const args = ["--database", place.database.url, name, ...by];
        const { code, stdout, stderr } = await query(args, { columns });
        assertEquals(code, 0, stderr);
        const tooWide = lines(stdout).filter((line) => displayWidth(line) > columns);
        assertEquals(tooWide, [], `${name} ${by} ${columns}`);
        assertStringIncludes(stderr, `${name}${by.length === 0 ? "" : ` by ${by[1]}`} of pipeline`);
      }
    }
  }
});

shopCase(
  "a terminal with room for it shows bars, one without says what it leaves out",
  async ({ place }) => {
    const args = ["--database", place.database.url, "top", "--since", "2024-03-31T00:00"];
    const wide = await query(args, { columns: 200 });
    assertMatch(lines(wide.stdout)[1]!, /^1 +Lamp .* % +█{24}$/);
    const narrow = await query(args, { columns: 40 });
    assertEquals(lines(narrow.stdout)[0], "product  name  revenue  units  purchases".slice(0, 40));
    assertStringIncludes(
      narrow.stderr,
      "no room for viewers, conversion: a wider terminal or a pipe has all\n",
    );
    const piped = await query(args);
    assertEquals(/[█▏▎▍▌▋▊▉]/.test(piped.stdout), false);
  },
);

Deno.test("without a report the reports are listed, with a hint", async () => {
  const { code, stdout, stderr } = await query([]);
  assertEquals([code, stderr], [0, "one of them is answered as in `pgsluice query traffic`\n"]);
  assertEquals(lines(stdout)[0]!.split(/ {2,}/), ["report", "question", "by", "window"]);
  assertEquals(lines(stdout).slice(1).map((line) => line.split(" ")[0]), [...REPORTS.keys()]);
  assertEquals(await query(["--list"]), { code, stdout, stderr: "" });
  const narrow = lines((await query(["--list"], { columns: 60 })).stdout);
  assertEquals(narrow.filter((line) => line.length > 60), []);
  assertEquals(narrow[0], "traffic     How much was viewed and bought over time, and");
});

Deno.test("the list has columns and units for programs", async () => {
  const { reports } = JSON.parse((await query(["--list", "--format", "json"])).stdout);
  assertEquals(reports.map(({ name }: { name: string }) => name), [...REPORTS.keys()]);
  const { name, question, groupings, windowMs, columns } = reports[0];
  const { name: _, ...traffic } = REPORTS.get("traffic")!;
  assertEquals({ name, question, groupings, windowMs, columns }, {
    name: "traffic",
    question: traffic.question,
    groupings: [...traffic.groupings],
    windowMs: traffic.windowMs,
    columns: traffic.columns.map((column) => ({ ...column })),
  });
  const objects = lines((await query(["--list", "--format", "ndjson"])).stdout);
  assertEquals(objects.map((line) => JSON.parse(line)), reports);
  assertEquals(
    lines((await query(["--list", "--format", "csv"])).stdout)[0],
    "report,question,by,window",
  );
  assertEquals(JSON.parse((await query(["--list", "hours", "--json"])).stdout), reports[1]);
});

Deno.test("--list with a report says what its columns are", async () => {
  const { code, stdout } = await query(["--list", "hours"]);
  assertEquals([code, lines(stdout).slice(0, 4).map((line) => line.split(/ {2,}/)[0])], [
    0,
    ["hours", "by", "window", "cost"],
  ]);
  const { columns } = REPORTS.get("hours")!;
  assertEquals(
    lines(stdout).slice(6).map((line) => line.split(/ {2,}/)),
    columns.map(({ name, unit, description }) => [name, unit, description]),
  );
  const narrow = lines((await query(["--list", "hours"], { columns: 40 })).stdout);
  assertEquals(narrow.filter((line) => line.length > 40), []);
});

Deno.test("what is wrong on the command line is told before anything is asked", async () => {
  const cases: readonly (readonly [args: readonly string[], stderr: string])[] = [
    [
      ["trafic"],
      'error: there is no report "trafic" [no-such-report]\ntry: did you mean traffic?\n',
    ],
    [
      ["weather"],
      'error: there is no report "weather" [no-such-report]\n' +
      "try: `pgsluice query --list` lists them\n",
    ],
    [
      ["select count(*) from user_events"],
      'error: there is no report "select count(*) from user_events" [no-such-report]\n' +
      "try: a statement is given as --sql '…'\n",
    ],
    [
      ["traffic", "--sql", "select 1"],
      'error: --sql and the report "traffic" are two questions [usage]\ntry: ask one of them\n',
    ],
    [
      ["--sql", "select 1", "--since", "1h"],
      "error: --since: only for reports [usage]\ntry: say it in the statement, and leave it out\n",
    ],
    [
      ["--sql", "select 1", "--pipeline", "shop"],
      "error: --pipeline: only for reports [usage]\n" +
      "try: say it in the statement, and leave it out\n",
    ],
    [
      ["--sql", "select 1", "--list"],
      "error: --sql has no list [usage]\ntry: leave --sql or --list out\n",
    ],
    [
      ["traffic", "--since", "yesterday"],
      "error: --since: expected a duration such as 1h or 30d, or a date or a date and time such as " +
      '2025-01-31 or 2025-01-31T08:00, got "yesterday" [usage]\ntry: pgsluice help query\n',
    ],
    [
      ["traffic", "--until", "1h"],
      "error: --until: expected a date or a date and time such as 2025-01-31 or " +
      '2025-01-31T08:00, got "1h" [usage]\ntry: pgsluice help query\n',
    ],
    [
      ["traffic", "--format", "xml"],
      "error: --format: expected one of table, csv, json, ndjson, markdown, got " +
      '"xml" [usage]\ntry: pgsluice help query\n',
    ],
  ];
  for (const [args, stderr] of cases) {
    const run = await query(["--database", "postgresql:///x?host=/nowhere", ...args]);
    assertEquals(run, { code: 2, stdout: "", stderr });
  }
});

shopCase("what a report cannot be asked is told with what it can", async (shop) => {
  const cases: readonly (readonly [args: readonly string[], code: number, stderr: string])[] = [
    [
      ["traffic", "--by", "week"],
      2,
      "error: report traffic cannot group by week [no-such-grouping]\n" +
      "try: it groups by hour, minute, day\n",
    ],
    [
      ["traffic", "--pipeline", "shop"],
      1,
      "error: this database has no pipeline shop [no-such-pipeline]\n" +
      "try: name one of these with --pipeline: default\n",
    ],
  ];
  for (const [args, code, stderr] of cases) {
    assertEquals(await ask(shop, ...args), { code, stdout: "", stderr });
  }
  const empty = await ask(shop, "traffic", "--since", "2030-01-01");
  assertEquals([empty.code, /\[empty-window\]/.test(empty.stderr)], [2, true]);
});

Deno.test("a database without a ledger has no reports, but answers statements", async () => {
  await using database = await testDatabase();
  const report = await query(["--database", database.url, "traffic"]);
  assertEquals([report.code, report.stdout], [1, ""]);
  assertStringIncludes(report.stderr, "error: this database has no ledger of pgsluice [no-ledger]");
  const statement = await query(["--database", database.url, "--sql", "select 1 as one"]);
  assertEquals([statement.code, statement.stdout], [0, "one\n  1\n"]);
});

Deno.test("a server that is not there is told as such", async () => {
  for (const args of [["traffic"], ["--sql", "select 1"]]) {
    const { code, stderr } = await query([
      "--database",
      "postgresql:///x?host=/nowhere",
      ...args,
    ]);
    assertEquals([code, /\[database-unreachable\]/.test(stderr)], [1, true], stderr);
  }
});

/** With single statements, on a database with nothing in it. */
function statementTest(
  name: string,
  run: (
    asked: (statement: string, ...args: readonly string[]) => Promise<QueryRun>,
    url: string,
  ) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await using database = await testDatabase();
    await run(
      (statement, ...args) => query(["--database", database.url, "--sql", statement, ...args]),
      database.url,
    );
  });
}

const MIXED = "select 1 as id, 'Chair, | \"big\"' as name, 1.50::numeric(5,2) as price, " +
  "true as sold, null::text as note, 9007199254740993 as big, 0.5::float8 as share, " +
  "'NaN'::float8 as odd, '{\"a\":\n[1]}'::json as data, " +
  "'2026-03-14 10:00:00+00'::timestamptz as at, array['x','y'] as tags";

statementTest("the rows of a statement in all formats", async (asked) => {
  const stdout = async (format: string) => {
    const run = await asked(MIXED, "--format", format);
    assertEquals([run.code, timeless(run.stderr)], [0, "1 row in N ms\n"]);
    return run.stdout;
  };
  assertEquals(lines(await stdout("table")), [
    "id  name            price  sold  note               big  share  odd  data         at                      tags",
    String
      .raw` 1  Chair, | "big"   1.50  t           9007199254740993    0.5  NaN  {"a":\n[1]}  2026-03-14 10:00:00+00  {x,y}`,
  ]);
  assertEquals(
    await stdout("csv"),
    "id,name,price,sold,note,big,share,odd,data,at,tags\n" +
      '1,"Chair, | ""big""",1.50,t,,9007199254740993,0.5,NaN,"{""a"":\n[1]}",' +
      '2026-03-14 10:00:00+00,"{x,y}"\n',
  );
  const object = '{"id":1,"name":"Chair, | \\"big\\"","price":"1.50","sold":true,"note":null,' +
    '"big":"9007199254740993","share":0.5,"odd":"NaN","data":{"a": [1]},' +
    '"at":"2026-03-14 10:00:00+00","tags":"{x,y}"}';
  assertEquals(await stdout("ndjson"), `${object}\n`);
  const json = await stdout("json");
  assertStringIncludes(json, `"rows":[${object}]}\n`);
  assertEquals(JSON.parse(json).columns.slice(0, 3), [
    { name: "id", type: "integer" },
    { name: "name", type: "text" },
    { name: "price", type: "numeric" },
  ]);
  assertEquals(lines(await stdout("markdown")).slice(1), [
    "| ---: | --- | ---: | --- | --- | ---: | ---: | ---: | --- | --- | --- |",
    String
      .raw`| 1 | Chair, \| "big" | 1.50 | t |  | 9007199254740993 | 0.5 | NaN | {"a":\\n\[1\]} | 2026-03-14 10:00:00+00 | {x,y} |`,
  ]);
});

statementTest("a statement without rows has none in any format", async (asked) => {
  const expected: Readonly<Record<string, readonly [string, string]>> = {
    table: ["id\n", ""],
    csv: ["id\n", "\n"],
    ndjson: ["", ""],
    json: [
      '{"columns":[{"name":"id","type":"integer"}],"rows":[]}\n',
      '{"columns":[],"rows":[]}\n',
    ],
  };
  for (const [format, [empty, none]] of Object.entries(expected)) {
    const args = ["--format", format, "--quiet"];
    assertEquals(await asked("select 1 as id where false", ...args), {
      code: 0,
      stdout: empty,
      stderr: "",
    });
    assertEquals((await asked("set work_mem = '1MB'", ...args)).stdout, none, format);
  }
});

statementTest(
  "a table ends after 10,000 rows and says how to get all, which come",
  async (asked) => {
    const statement = "select n from generate_series(1, 10001) n";
    const table = await asked(statement, "--quiet");
    assertEquals(lines(table.stdout).slice(-2), ["10000", "… and more; --format csv has all"]);
    assertEquals(lines(table.stdout).length, 10_002);
    assertEquals(lines((await asked(statement, "--format", "csv")).stdout).at(-1), "10001");
    const whole = await asked("select n from generate_series(1, 10000) n");
    assertEquals(lines(whole.stdout).at(-1), "10000");
    assertEquals(timeless(whole.stderr), "10,000 rows in N ms\n");
  },
);

statementTest("rows too wide for a terminal are written a value a line", async (_, url) => {
  const statement = "select 'a text that is long' as first, 1111111111111 as second, " +
    "2222222222222 as third union all select 'short', 1, 2 order by 2 desc";
  const args = ["--database", url, "--sql", statement];
  assertEquals(lines((await query(args, { columns: 30 })).stdout), [
    "row 1",
    "  first   a text that is long",
    "  second  1111111111111",
    "  third   2222222222222",
    "",
    "row 2",
    "  first   short",
    "  second  1",
    "  third   2",
  ]);
  assertEquals(lines((await query(args, { columns: 45 })).stdout), [
    "first                   second          third",
    "a text that is…  1111111111111  2222222222222",
    "short                        1              2",
  ]);
});

statementTest("an error in a statement is shown at its place", async (asked) => {
  assertEquals(await asked("select\n  pric\nfrom (values (1)) t (price)"), {
    code: 1,
    stdout: "",
    stderr: "  pric\n  ^\n" +
      'error: line 2, character 3: column "pric" does not exist (SQLSTATE 42703) [query-statement]\n' +
      'try: Perhaps you meant to reference the column "t.price".\n',
  });
  assertEquals(await asked("select 1; drop table user_events"), {
    code: 2,
    stdout: "",
    stderr: "error: there is more than one statement [query-statement]\ntry: ask them one by one\n",
  });
});

statementTest("a statement that writes is refused, with the way to do it", async (asked) => {
  assertEquals(await asked("create table t ()"), {
    code: 1,
    stdout: "",
    stderr: "error: a query may only read: cannot execute CREATE TABLE in a read-only " +
      "transaction [query-read-only]\n" +
      "try: `pgsluice db psql`, or psql on a server of your own, for what changes data\n",
  });
});

shopCase(
  "what a role may not read is told as such, of a report and of a statement",
  async (shop) => {
    const { sql, url } = shop.place.database;
    const role = `reader_${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
    await sql.unsafe(`create role ${role}`);
    try {
      const separator = url.includes("?") ? "&" : "?";
      const asRole = `${url}${separator}options=${encodeURIComponent(`-c role=${role}`)}`;
      for (const args of [["traffic"], ["--sql", "select * from user_events"]]) {
        const { code, stdout, stderr } = await query(["--database", asRole, ...args]);
        assertEquals([code, stdout], [1, ""]);
        assertMatch(
          stderr,
          /^error: asking .+: permission denied for .+ \(SQLSTATE 42501\) \[database-permission\]\n/,
        );
        assertStringIncludes(stderr, "try: let an owner run `pgsluice setup` once, and the grants");
      }
      const { stdout } = await query(["--database", asRole, "--sql", "select current_user"]);
      assertEquals(stdout, `current_user\n${role}\n`);
    } finally {
      await sql.unsafe(`drop role ${role}`);
    }
  },
);

statementTest("a statement that takes too long is ended, in the server too", async (asked) => {
  const { code, stdout, stderr } = await asked("select pg_sleep(60)", "--timeout", "200ms");
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(
    stderr,
    "error: the server took longer than 0.2 s for the next rows, and was told to stop " +
      "[query-timeout]\n",
  );
  await until("it has ended", async () => (await sessions(asked)).length === 0);
});

shopCase("a report that takes too long is ended", async (shop) => {
  await shop.place.database.sql.begin(async (sql) => {
    await sql`lock table pgsluice.minutes in access exclusive mode`;
    const { code, stderr } = await ask(shop, "traffic", "--timeout", "200ms");
    assertEquals([code, stderr.split("\n")[0]], [
      1,
      "error: report traffic took longer than 0.2 s, and was told to stop [query-timeout]",
    ]);
  });
});

/** Other sessions of the command that are at work. */
async function sessions(
  asked: (statement: string, ...args: readonly string[]) => Promise<QueryRun>,
): Promise<string[]> {
  const { stdout } = await asked(
    "select pid from pg_stat_activity where application_name = 'pgsluice query' " +
      "and datname = current_database() and pid <> pg_backend_pid()",
    "--format",
    "csv",
    "--quiet",
  );
  return lines(stdout).slice(1);
}

statementTest("Ctrl-C ends a statement at once, in the server too", async (asked, url) => {
  const controller = new AbortController();
  const interrupted = new Error("stopped by SIGINT");
  const running = query(["--database", url, "--sql", "select pg_sleep(60)"], {
    signal: controller.signal,
  });
  await until("it runs", async () => (await sessions(asked)).length === 1);
  controller.abort(interrupted);
  const { stderr } = await running;
  assertStringIncludes(stderr, "stopped by SIGINT");
  await until("it has ended", async () => (await sessions(asked)).length === 0);
});

shopCase("Ctrl-C ends a report at once, in the server too", async ({ place }) => {
  const { sql, url } = place.database;
  const controller = new AbortController();
  await sql.begin(async (transaction) => {
    await transaction`lock table pgsluice.minutes in access exclusive mode`;
    const running = query(["--database", url, "traffic"], { signal: controller.signal });
    const atWork = async () =>
      await sql`
        select pid from pg_stat_activity
        where application_name = 'pgsluice query' and wait_event_type = 'Lock'`;
    await until("it waits", async () => (await atWork()).length === 1);
    controller.abort(new Error("stopped by SIGINT"));
    assertStringIncludes((await running).stderr, "stopped by SIGINT");
    await until("it has ended", async () => (await atWork()).length === 0);
  });
});

statementTest("a server that goes away midway is told as such", async (asked) => {
  const { code, stdout, stderr } = await asked(
    "select n, case when n = 700 then pg_terminate_backend(pg_backend_pid()) end " +
      "from generate_series(1, 2000) n",
    "--format",
    "csv",
  );
  assertEquals([code, lines(stdout).length], [1, 501]);
  assertMatch(stderr, /^error: asking .+: the .+ \[database-unreachable\]\n/);
});

ingestCase("queries are answered while an ingester is at work", async (place) => {
  const watching = ingestWatching(place);
  await writeEvents(place, "a.csv", csvText(eventLines(0, 100)));
  await watching.heard.until(() => watching.heard.loaded === 100);
  const url = place.database.url;
  const { stdout } = await query(["--database", url, "traffic", "--format", "csv", "--quiet"]);
  assertEquals(stdout.split("\n")[1], "2026-03-14T10:00:00Z,100,100,0,0,0,");
  await writeEvents(place, "b.csv", csvText(eventLines(100, 150)));
  await watching.heard.until(() => watching.heard.loaded === 150);
  const counted = await query(["--database", url, "--sql", "select count(*) from user_events"]);
  assertEquals(counted.stdout, "count\n  150\n");
  await watching.stop();
  await ingestOnce(place);
});
