import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import {
  csvText,
  eventLine,
  ingestOnce,
  verifyExact,
  writeEvents,
} from "../support/ingest_fixture.ts";
import {
  counts,
  everything,
  loadFile,
  mendedCsv,
  rejectsTest,
  retryText,
  runRejects,
} from "./run_rejects.ts";

async function openIds(place: Parameters<typeof runRejects>[0]): Promise<number[]> {
  return JSON.parse((await runRejects(place, "list", "--json")).output).rejects
    .map(({ id }: { id: number }) => id);
}

rejectsTest("rejects discard closes those it is told, which stay rejected", async (place) => {
  const bad = [1, 2, 3, 4].map((number) => eventLine(number, { price: "x" }));
  await loadFile(place, "a.csv", csvText([eventLine(0), ...bad, "too,short"]));
  await loadFile(place, "b.csv", csvText(["too,long,".repeat(9)]));
  const byId = await runRejects(place, "discard", "1", "2", "2");
  assertEquals(
    [byId.exitCode, byId.output],
    [0, "discarded 2 rejects of pipeline default; they stay counted as rejected\n"],
  );
  assertEquals(await openIds(place), [3, 4, 5, 6]);
  const byCode = await runRejects(place, "discard", "--code", "bad_number", "--json");
  assertEquals(JSON.parse(byCode.output), { pipeline: "default", discarded: 2 });
  await runRejects(place, "discard", "--file", "b.csv");
  assertEquals(await openIds(place), [5]);
  assertEquals(await counts(place, "a.csv"), { loaded: 1, rejected: 5, duplicate: 0 });
  assertEquals(
    await verifyExact(place),
    "verified: 7 events = 1 loaded + 6 rejected + 0 duplicates",
  );
});

rejectsTest("rejects discard wants open rejects of this pipeline, all of them", async (place) => {
  await loadFile(place, "a.csv", csvText(["too,short", eventLine(1, { price: "x" })]));
  await retryText(place, mendedCsv([[2, eventLine(1)]]));
  await writeEvents(place, "b.csv", csvText(["too,short,too"]));
  await ingestOnce(place, { pipelineName: "shop" });
  const before = await everything(place);
  const error = await assertRejects(
    () => runRejects(place, "discard", "1", "2", "3", "99"),
    PgsluiceError,
  );
  assertEquals(error.code, "rejects-not-open");
  assertStringIncludes(
    error.message,
    "no reject of pipeline default: 3, 99; no longer open: 2 (loaded); nothing was changed",
  );
  for (const args of [[], ["1", "--code", "bad_number"], ["one"]]) {
    const usage = await assertRejects(() => runRejects(place, "discard", ...args), PgsluiceError);
    assertEquals([usage.code, usage.exitCode], ["usage", 2]);
  }
  assertEquals(await everything(place), before);
});

rejectsTest("what is discarded cannot be retried", async (place) => {
  await loadFile(place, "a.csv", csvText([eventLine(1, { price: "x" })]));
  await runRejects(place, "discard", "1");
  const error = await assertRejects(
    () => retryText(place, mendedCsv([[1, eventLine(1)]])),
    PgsluiceError,
  );
  assertStringIncludes(error.message, "no longer open: 1 (discarded)");
});
