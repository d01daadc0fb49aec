import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import { join } from "@std/path";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { csvText, eventLine, ingestOnce, type IngestPlace } from "../support/ingest_fixture.ts";
import { loadFile, mendedCsv, rejectsTest, retryText, runRejects } from "./run_rejects.ts";

/** The rows of an export; each character of a field is one byte. */
function rowsOf(bytes: Uint8Array): string[][] {
  return parse(new TextDecoder("latin1").decode(bytes)) as string[][];
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

const LONG = `${eventLine(1, { price: "x" })},${"é".repeat(10_000)}`;

async function loadLong(place: IngestPlace): Promise<void> {
  await loadFile(place, "a.csv", csvText([eventLine(0), LONG, eventLine(2)]));
}

rejectsTest("rejects export writes the open ones, ready to be mended", async (place) => {
  await loadFile(place, "b.csv", csvText([eventLine(0), eventLine(1, { price: "x" })]));
  await loadFile(place, "a.csv", csvText(["too,short", '"1","two\nlines"']));
  await runRejects(place, "discard", "2");
  const { exitCode, bytes, said } = await runRejects(place, "export");
  assertEquals([exitCode, said], [0, ["exported 2 rejects"]]);
  const expected = "expected a number of 0 or more and below 10000000000, with at most 2 decimals";
  assertEquals(rowsOf(bytes), [
    ["reject_id", "file", "line", "code", "column", "reason", "raw"],
    [
      "3",
      "a.csv",
      "3",
      "short_record",
      "",
      "the record has 2 fields, the header 9",
      '"1","two\nlines"',
    ],
    [
      "1",
      "b.csv",
      "3",
      "bad_number",
      "price",
      `price is "x": ${expected}`,
      eventLine(1, { price: "x" }),
    ],
  ]);
  const filtered = await runRejects(place, "export", "--code", "bad_number");
  assertEquals(rowsOf(filtered.bytes).slice(1).map(([id]) => id), ["1"]);
});

rejectsTest("bytes that are no text survive an export", async (place) => {
  const odd = new Uint8Array([0x61, 0x00, 0x22, 0xff, 0xfe, 0x2c, 0xc3, 0x0d, 0x1b]);
  const text = new TextEncoder().encode(csvText([eventLine(0)]));
  const crlf = [0x0d, 0x0a];
  await Deno.writeFile(join(place.events, "a.csv"), new Uint8Array([...text, ...odd, ...crlf]));
  await ingestOnce(place);
  const { bytes } = await runRejects(place, "export");
  assertEquals(rowsOf(bytes)[1]!.at(-1), latin1(odd));
  const path = join(place.home, "bad.csv");
  await runRejects(place, "export", path);
  assertEquals(await Deno.readFile(path), bytes);
  // and a retry of them: the same bytes are the same fault
  const retried = await runRejects(place, "retry", path);
  assertEquals(retried.exitCode, 3);
  assertStringIncludes(retried.output, "nul_byte: the record contains a NUL byte");
});

rejectsTest("a record that the ledger has cut is read again from its file", async (place) => {
  await loadLong(place);
  const { bytes, said } = await runRejects(place, "export");
  assertEquals(rowsOf(bytes)[1]!.at(-1), latin1(new TextEncoder().encode(LONG)));
  assertEquals(said, ["exported 1 reject"]);
});

rejectsTest(
  "a record that the ledger has cut is read where its file was moved to",
  async (place) => {
    await loadLong(place);
    const archived = join(place.home, "a.csv");
    await Deno.rename(join(place.events, "a.csv"), archived);
    // another one came in its place
    await Deno.writeTextFile(join(place.events, "a.csv"), csvText(["x".repeat(40_000)]));
    await place.database.sql`update pgsluice.files set archived_path = ${archived}`;
    const { bytes } = await runRejects(place, "export");
    assertEquals(rowsOf(bytes)[1]!.at(-1), latin1(new TextEncoder().encode(LONG)));
  },
);

rejectsTest("a cut record is exported empty when its file has gone or changed", async (place) => {
  await loadLong(place);
  const path = join(place.events, "a.csv");
  const missing = "reject 1 is exported with an empty raw: the ledger has its first 8192 bytes, " +
    "and a.csv the rest: ";
  for (
    const [change, why] of [
      [() => Deno.writeTextFile(path, csvText(["x".repeat(40_000)])), "it has other bytes now"],
      [() => Deno.truncate(path, 1_000), "it is shorter than it was"],
      [() => Deno.remove(path), "it is no longer there"],
    ] as const
  ) {
    await change();
    const { exitCode, bytes, said } = await runRejects(place, "export");
    assertEquals([exitCode, said], [0, [missing + why, "exported 1 reject"]]);
    assertEquals(rowsOf(bytes)[1]!.at(-1), "");
    // an empty one that nobody filled in is left as it was
    const retried = await retryText(place, new TextDecoder().decode(bytes));
    assertEquals(retried.exitCode, 3);
    assertStringIncludes(retried.output, "reject 1, a.csv line 3: its raw is empty\n");
    const [row] = await place.database.sql`select state, code from pgsluice.rejects`;
    assertEquals({ ...row }, { state: "open", code: "long_record" });
  }
});

rejectsTest("rejects export FILE overwrites nothing", async (place) => {
  await loadFile(place, "a.csv", csvText(["too,short"]));
  const path = join(place.home, "bad.csv");
  assertEquals((await runRejects(place, "export", path)).said, [`exported 1 reject to ${path}`]);
  const error = await assertRejects(() => runRejects(place, "export", path), PgsluiceError);
  assertEquals(error.code, "export-file");
  assertStringIncludes(error.message, "it is there already");
  // a failed export leaves nothing
  const other = join(place.home, "other.csv");
  await assertRejects(
    () => runRejects(place, "export", other, "--file", "none.csv"),
    PgsluiceError,
  );
  const names = [...Deno.readDirSync(place.home)].map(({ name }) => name).sort();
  assertEquals(names, ["bad.csv", "checkpoints", "events"]);
});

rejectsTest("rejects export of nothing is a header", async (place) => {
  await loadFile(place, "a.csv", csvText(["too,short"]));
  await retryText(place, mendedCsv([[1, eventLine(0)]]));
  const { output, said } = await runRejects(place, "export");
  assertEquals(output, "reject_id,file,line,code,column,reason,raw\n");
  assertEquals(said, ["exported 0 rejects"]);
});
