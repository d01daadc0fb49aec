import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { csvText, eventLine, ingestOnce } from "../support/ingest_fixture.ts";
import { loadFile, mendedCsv, rejectsTest, retryText, runRejects } from "./run_rejects.ts";

function rowsOf(output: string): string[][] {
  return output.split("\n").map((line) => line.trim().split(/ {2,}/));
}

rejectsTest("rejects list shows the open ones by file and line, and counts them", async (place) => {
  await loadFile(place, "b.csv", csvText([eventLine(0), eventLine(1, { price: "x" })]));
  await loadFile(place, "a.csv", csvText(["too,short", eventLine(2, { price: "y" })]));
  const { exitCode, output } = await runRejects(place, "list");
  assertEquals(exitCode, 0);
  const expected = "expected a number of 0 or more and below 10000000000, with at most 2 decimals";
  assertEquals(rowsOf(output), [
    ["id", "file", "line", "column", "code", "reason"],
    ["2", "a.csv", "2", "short_record", "the record has 2 fields, the header 9"],
    ["3", "a.csv", "3", "price", "bad_number", `price is "y": ${expected}`],
    ["1", "b.csv", "3", "price", "bad_number", `price is "x": ${expected}`],
    [""],
    ["rejects", "code"],
    ["2", "bad_number"],
    ["1", "short_record"],
    ["3", "in all"],
    [""],
  ]);
});

rejectsTest("rejects list is narrowed by file, code, time and limit", async (place) => {
  await loadFile(place, "a.csv", csvText(["too,short", eventLine(2, { price: "y" })]));
  await loadFile(place, "b.csv", csvText([eventLine(1, { price: "x" })]));
  const ids = async (...args: string[]) =>
    JSON.parse((await runRejects(place, "list", "--json", ...args)).output).rejects
      .map(({ id }: { id: number }) => id);
  assertEquals(await ids(), [1, 2, 3]);
  assertEquals(await ids("--file", "b.csv"), [3]);
  assertEquals(await ids("--file", join(place.events, "a.csv")), [1, 2]);
  assertEquals(await ids("--code", "bad_number"), [2, 3]);
  assertEquals(await ids("--code", "bad_number", "--limit", "1"), [2]);
  await place.database.sql`
    update pgsluice.rejects set rejected_at = '2026-01-01T00:00:00Z' where reject_id < 3`;
  assertEquals(await ids("--since", "2026-01-01T00:00:00Z"), [1, 2, 3]);
  assertEquals(await ids("--since", "2026-01-01T00:00:01Z"), [3]);
  assertEquals(await ids("--since", "1h"), [3]);
  const limited = rowsOf((await runRejects(place, "list", "--limit", "1")).output);
  assertEquals(limited.slice(1, 4).map(([first]) => first), [
    "1",
    "",
    "… and 2 more; --limit or --json lists them",
  ]);
  assertEquals(limited.at(-2), ["3", "in all"]);
  const error = await assertRejects(() => ids("--file", "c.csv"), PgsluiceError);
  assertEquals([error.code, error.exitCode], ["no-such-file", 2]);
});

rejectsTest("rejects list --json is one object, whatever the number of pages", async (place) => {
  const lines = Array.from({ length: 2_500 }, (_, number) => eventLine(number, { price: "x" }));
  // not all of the first thousand, which would stop the file
  await loadFile(place, "a.csv", csvText([eventLine(9_000), ...lines]));
  const { output } = await runRejects(place, "list", "--json");
  const { pipeline, total, byCode, rejects } = JSON.parse(output);
  assertEquals([pipeline, total, byCode], ["default", 2_500, [{
    code: "bad_number",
    count: 2_500,
  }]]);
  assertEquals(
    rejects.map(({ line }: { line: number }) => line),
    lines.map((_, number) => number + 3),
  );
  assertEquals(Object.keys(rejects[0]).sort(), [
    "code",
    "column",
    "file",
    "generation",
    "id",
    "line",
    "reason",
    "rejectedAt",
    "state",
  ]);
  assertEquals(output.endsWith("]}\n"), true);
});

rejectsTest("rejects list --all shows what became of those that are closed", async (place) => {
  await loadFile(place, "a.csv", csvText([eventLine(1, { price: "x" }), "too,short"]));
  await retryText(place, mendedCsv([[1, eventLine(1)]]));
  await runRejects(place, "discard", "2");
  assertEquals((await runRejects(place, "list")).output, "no open rejects\n");
  const all = rowsOf((await runRejects(place, "list", "--all")).output);
  assertEquals(all.slice(0, 3).map((row) => row.slice(0, 3)), [
    ["id", "state", "file"],
    ["1", "loaded", "a.csv"],
    ["2", "discarded", "a.csv"],
  ]);
});

rejectsTest("rejects show has everything, with a mark under the column", async (place) => {
  const bad = eventLine(1, { price: '"1""x"' });
  await loadFile(place, "a.csv", csvText([eventLine(0), bad]));
  const { output } = await runRejects(place, "show", "1");
  const lines = output.split("\n");
  const startByte = csvText([eventLine(0)]).length;
  assertEquals(lines.slice(0, 2), [
    "reject 1: open",
    `file      a.csv, line 3, bytes ${startByte} to ${startByte + bad.length + 1}`,
  ]);
  assertMatch(lines[2]!, /^rejected {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assertEquals(lines.slice(3, 5), ["column    price", "code      bad_number"]);
  assertEquals(lines.slice(6), [
    `raw       ${bad}\\n`,
    `${" ".repeat(10 + bad.indexOf('1""x'))}^^^^`,
    "",
  ]);
  await retryText(place, mendedCsv([[1, eventLine(1)]]));
  const closed = (await runRejects(place, "show", "1")).output;
  assertMatch(closed, /^reject 1: loaded\n/);
  assertMatch(closed, /\nclosed {4}2.*Z\n/);
  assertEquals(closed.includes(`\nmended    ${eventLine(1)}\n`), true);
});

rejectsTest("rejects show escapes what a terminal must not get", async (place) => {
  const odd = new Uint8Array([...new TextEncoder().encode("\x1b[2J é\0"), 0xff, 0xc3, 0x0a]);
  const text = new TextEncoder().encode(csvText([eventLine(0)]));
  await Deno.writeFile(join(place.events, "a.csv"), new Uint8Array([...text, ...odd]));
  await ingestOnce(place);
  const { output } = await runRejects(place, "show", "1");
  assertEquals(output.split("\n").at(-2), "raw       \\u001b[2J é\\u0000\\xff\\xc3\\n");
  const { rejects } = JSON.parse((await runRejects(place, "show", "1", "--json")).output);
  assertEquals(rejects[0].rawBase64, odd.toBase64());
});

rejectsTest(
  "rejects show says how long a record is of which it has the beginning",
  async (place) => {
    const long = `${eventLine(1, { price: "x" })},${"y".repeat(10_000)}`;
    await loadFile(place, "a.csv", csvText([eventLine(0), long]));
    const { output } = await runRejects(place, "show", "1");
    assertEquals(output.split("\n").at(-2), "          … the first 8.0 KiB of 9.8 KiB");
  },
);

rejectsTest("the commands on rejects refuse what is not there", async (place) => {
  const refused = async (...args: [string, ...string[]]) => {
    const error = await assertRejects(() => runRejects(place, ...args), PgsluiceError);
    return [error.code, error.exitCode];
  };
  assertEquals(await refused("list"), ["no-ledger", 1]);
  await loadFile(place, "a.csv", csvText(["too,short"]));
  assertEquals(await refused("list", "--pipeline", "shop"), ["no-such-pipeline", 1]);
  assertEquals(await refused("show"), ["usage", 2]);
  assertEquals(await refused("show", "x"), ["usage", 2]);
  assertEquals(await refused("show", "1", "2"), ["no-such-reject", 1]);
  assertEquals(await refused("retry"), ["usage", 2]);
  await place.database.sql`delete from pgsluice.migrations where number > 1`;
  assertEquals(await refused("list"), ["ledger-older", 1]);
});
