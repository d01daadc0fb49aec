import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { parseReport } from "../../src/query/parse_report.ts";
import type { ReportColumn } from "../../src/query/report.ts";
import { reportStatement } from "../../src/query/report_statement.ts";
import { readReportValue } from "../../src/query/report_value.ts";
import { REPORTS } from "../../src/query/reports.ts";

const FOLDER = fromFileUrl(new URL("../../sql/reports/", import.meta.url));

Deno.test("every file of sql/reports is a report that says what it is", () => {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name.replace(/\.sql$/, ""));
  assertEquals(names.sort(), [...REPORTS.keys()].sort());
  for (const [name, report] of REPORTS) {
    const file = Deno.readTextFileSync(`${FOLDER}${name}.sql`);
    assertEquals(report, parseReport(name, file));
    for (const line of file.split("\n")) assert(line.length <= 100, `${name}: ${line}`);
    const byTime = report.groupings.some((by) => ["minute", "hour", "day"].includes(by));
    const groups = report.groupings.length > 0;
    assertEquals(report.columns[0]!.name === "by", groups, `${name}: its first column is "by"`);
    assert(!byTime || report.windowMs !== null, `${name}: its rows are bounded`);
    assert(report.maxEvents === null || report.clock === "event", name);
  }
});

const GOOD = `-- How much is
--   there?
--
-- cost: nothing
-- by: product, hour
-- window: 90 min by event in whole minutes, at most 500 events
-- bar: events
-- columns:
-- by: text, which
-- name: text (by product), its name, in
--   full
-- events: count, how many

with a as (
  select 1 -- one
)
select 1, 2, 3 from a
`;

Deno.test("the comments that a report begins with are its documentation", () => {
  assertEquals(parseReport("some", GOOD), {
    name: "some",
    question: "How much is there?",
    columns: [
      { name: "by", unit: "text", description: "which" },
      { name: "name", unit: "text", description: "its name, in full", onlyBy: "product" },
      { name: "events", unit: "count", description: "how many" },
    ],
    cost: "nothing",
    groupings: ["product", "hour"],
    windowMs: 90 * 60_000,
    clock: "event",
    inWholeMinutes: true,
    maxEvents: 500,
    bar: "events",
    text: "with a as (\n  select 1 -- one\n)\nselect 1, 2, 3 from a",
  });
  const plain = parseReport(
    "plain",
    "-- What?\n--\n-- cost: none\n-- window: everything by commit\n-- columns:\n" +
      "-- a: ms, a\n\nselect 1\n",
  );
  assertEquals(
    [
      plain.groupings,
      plain.windowMs,
      plain.clock,
      plain.inWholeMinutes,
      plain.maxEvents,
      plain.bar,
    ],
    [[], null, "commit", false, null, null],
  );
});

const BAD: readonly {
  what: string;
  name?: string;
  change: [string | RegExp, string];
  says: string;
}[] = [
  {
    what: "a name of two words",
    name: "two_words",
    change: ["", ""],
    says: "a report's name is one lower-case word",
  },
  {
    what: "no question",
    change: ["there?", "there."],
    says: "expected its first line to be a sentence that ends in a question mark",
  },
  {
    what: "no empty comment",
    change: ["--\n", ""],
    says: "expected an empty comment after the question",
  },
  { what: "no cost", change: [/-- cost.*\n/, ""], says: "expected `cost:`" },
  {
    what: "two costs",
    change: ["-- by: p", "-- cost: more\n-- by: p"],
    says: "cost stands there twice",
  },
  {
    what: "another fact",
    change: ["-- cost", "-- price"],
    says: "expected cost, by, window or bar, found price: nothing",
  },
  { what: "no window", change: [/-- window.*\n/, ""], says: "window: missing" },
  {
    what: "a window without a clock",
    change: [" by event", ""],
    says: "window: 90 min in whole minutes, at most 500 events",
  },
  {
    what: "a bar of no column",
    change: ["bar: events", "bar: event"],
    says: "bar: there is no column event",
  },
  { what: "no columns", change: ["-- columns:\n", ""], says: "expected `columns:`" },
  {
    what: "an empty list of columns",
    change: [/-- by: text[^]*many\n/, ""],
    says: "expected columns",
  },
  {
    what: "an unknown unit",
    change: ["events: count", "events: number"],
    says: "expected `name: unit, description`, found events: number, how many",
  },
  {
    what: "a column twice",
    change: ["name: text", "by: text"],
    says: "two columns have the same name",
  },
  {
    what: "a column of no grouping",
    change: ["(by product)", "(by file)"],
    says: "it cannot group by file",
  },
  {
    what: "no SQL",
    change: [/\nwith[^]*/, ""],
    says: "expected with or select after the comments",
  },
  {
    what: "other SQL",
    change: [/\nwith[^]*/, "\ndelete from a\n"],
    says: "expected with or select after the comments",
  },
];

for (const { what, name = "some", change, says } of BAD) {
  Deno.test(`a report with ${what} is refused`, () => {
    const changed = GOOD.replace(...change);
    assertThrows(() => parseReport(name, changed), TypeError, `sql/reports/${name}.sql: ${says}`);
  });
}

Deno.test("variables in psql's form become parameters, the table's name a part of the text", () => {
  const variables = {
    identifiers: { table: '"odd $1 :by"' },
    values: { table: '"t"', by: "hour", pipeline_id: "7", since: "-infinity" },
  };
  assertEquals(
    reportStatement(
      "select :'by', to_char(a, 'HH24:MI:SS'), x[1:2] from :table where t = :'table' " +
        "and id = :pipeline_id::bigint and b >= :'since'::timestamptz and c = :'by'",
      variables,
    ),
    {
      text: "select $1::text, to_char(a, 'HH24:MI:SS'), x[1:2] from \"odd $1 :by\" " +
        "where t = $2::text and id = ($3::text)::bigint and b >= $4::text::timestamptz " +
        "and c = $1::text",
      parameters: ["hour", '"t"', "7", "-infinity"],
    },
  );
  assertThrows(
    () => reportStatement("select :'until'", variables),
    TypeError,
    "there is no variable until",
  );
  assertThrows(
    () => reportStatement("select :constructor", variables),
    TypeError,
    "there is no variable constructor",
  );
});

const VALUES: readonly [ReportColumn["unit"], unknown, unknown][] = [
  ["text", "a", "a"],
  ["text", new Uint8Array([0x61, 0xff, 0x0a, 0x1b, 0xc3, 0xa9]), "a\\xff\\n\\u001b\u00e9"],
  ["time", new Date(Date.UTC(2024, 2, 31, 0, 30)), "2024-03-31T00:30:00Z"],
  ["time", new Date(Date.UTC(2024, 2, 31, 0, 30, 0, 7)), "2024-03-31T00:30:00.007Z"],
  ["time", "2024-03-31T00:30:00Z", "2024-03-31T00:30:00Z"],
  // in New York it is the day before
  ["date", new Date(Date.UTC(2024, 2, 31, 0, 30)), "2024-03-30"],
  ["count", 5, 5],
  ["count", "9007199254740991", 9007199254740991],
  ["count", "9007199254740993", "9007199254740993"],
  ["bytes", "12", 12],
  ["money", "12345678901234567.89", "12345678901234567.89"],
  ["ratio", 0.25, 0.25],
  ["ms", 0.1234567, 0.123],
  ["per_second", 1.5, 1.5],
  ["count", null, null],
];

Deno.test("what the server answers is told by the column's unit", () => {
  for (const [unit, value, expected] of VALUES) {
    const column = { name: "a", unit, description: "" };
    assertEquals(readReportValue(value, column, "America/New_York"), expected as never, unit);
  }
  for (
    const [unit, value] of [["count", {}], ["money", 1], ["time", "now"], ["ratio", "0.5"]] as const
  ) {
    const column = { name: "a", unit, description: "" };
    assertThrows(
      () => readReportValue(value, column, "UTC"),
      TypeError,
      `column a: ${typeof value} is no ${unit}`,
    );
  }
});
