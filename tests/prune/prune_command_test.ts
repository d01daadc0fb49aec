import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { pruneCommand } from "../../src/cli/prune.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { runCommand } from "../support/run_command.ts";
import { ingestAllKinds, verifyTest } from "../verify/verify_fixture.ts";

verifyTest("prune says what goes and what stays, as text and as one object", async (place) => {
  await ingestAllKinds(place);
  const run = (...args: string[]) =>
    runCommand(pruneCommand, "--database", place.database.url, ...args);
  const nothing = await run("--older-than", "30d");
  assertEquals(nothing.exitCode, 0);
  assertMatch(
    nothing.output,
    /^removed what is older than \S+Z: 0 batches, 0 duplicates and 0 discarded rejects of 0 files\n$/,
  );
  const dry = await run("--older-than", "0s", "--dry-run");
  assertMatch(
    dry.output,
    /^would remove what is older than .*, 2 duplicates and 0 discarded rejects of 2 files\nwould keep 3 open rejects of 1 files: /,
  );
  const { output } = await run("--older-than", "0s", "--json");
  const report = JSON.parse(output);
  assertEquals([report.pipeline, report.isDryRun, report.removed.duplicates, report.openRejects], [
    "default",
    false,
    2,
    { rejects: 3, files: 1 },
  ]);
});

verifyTest("prune wants an age, and a pipeline that is there", async (place) => {
  await ingestAllKinds(place);
  const refused = async (...args: string[]) => {
    const error = await assertRejects(
      () => runCommand(pruneCommand, "--database", place.database.url, ...args),
      PgsluiceError,
    );
    return [error.code, error.exitCode];
  };
  assertEquals(await refused(), ["usage", 2]);
  assertEquals(await refused("--older-than", "30"), ["usage", 2]);
  assertEquals(await refused("--older-than", "30d", "--pipeline", "x"), ["no-such-pipeline", 1]);
});
