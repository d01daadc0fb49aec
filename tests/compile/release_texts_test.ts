import { assertEquals, assertStringIncludes } from "@std/assert";
import { licenseNotices } from "../../src/compile/license_notices.ts";
import { npmPackages } from "../../src/compile/unused_npm_files.ts";
import { VERSION } from "../../src/version.ts";
import { readReleaseTexts } from "../../src/compile/release_texts.ts";

Deno.test("what a release has of unit, completions and manual, pgsluice says itself", async () => {
  const { unit, sysusers, completions, man } = await readReleaseTexts();
  assertStringIncludes(unit("/usr/bin/pgsluice"), "\nExecStart=/usr/bin/pgsluice ");
  assertEquals(sysusers.startsWith("u pgsluice "), true);
  for (const text of [...Object.values(completions), man]) assertStringIncludes(text, "ingest");
  assertEquals(completions.zsh.startsWith("#compdef pgsluice"), true);
  assertStringIncludes(man, ".TH ");
});

Deno.test("the notices have the licence of every npm package, PostgreSQL's and pgsluice's own", async () => {
  const notices = await licenseNotices("MIT License, of us\n");
  assertStringIncludes(notices, "MIT License, of us");
  assertStringIncludes(notices, "The Regents of the University of California");
  assertStringIncludes(notices, `postgres ${VERSION.postgresJs}\n`);
  const sections = notices.split(`\n${"-".repeat(78)}\n`);
  assertEquals(sections.length, 3 + (await npmPackages()).used.length);
});
