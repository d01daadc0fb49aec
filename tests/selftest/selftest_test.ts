import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type TestDatabase, testDatabase } from "../support/test_database.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
const KILLS = 20;
const FAULTS = 40;

function selftest(database: TestDatabase, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "--allow-all", MAIN, "selftest"],
      ...["--seed", "7", "--database", database.url, ...args],
    ],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** What is there of self-tests, and of the ledger. */
async function traces({ sql }: TestDatabase): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select nspname as name from pg_namespace where nspname like 'pgsluice%' order by name`;
  return rows.map(({ name }) => name.replace(/_[0-9a-f]{8}$/, "_*"));
}

async function untilLoading(database: TestDatabase): Promise<void> {
  while ((await traces(database)).length < 2) await new Promise((wake) => setTimeout(wake, 20));
  const { sql } = database;
  const isLoading = () => sql`select from pgsluice.files where committed_byte > 0 limit 1`;
  while ((await isLoading()).length === 0) await new Promise((wake) => setTimeout(wake, 20));
}

Deno.test(`${KILLS} kills and ${FAULTS} faults in all phases and places lose and double nothing`, async () => {
  await using database = await testDatabase();
  const child = selftest(database, ["--json", "--kills", `${KILLS}`, "--faults", `${FAULTS}`]);
  const { code, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stdout);
  assert(said.startsWith("{"), new TextDecoder().decode(stderr));
  const report = JSON.parse(said);
  assertEquals(report.violations, []);
  assertEquals(code, 0, said);
  assertEquals(report.kills, KILLS);
  for (const [phase, count] of Object.entries(report.killsByPhase)) {
    assert(count as number >= 0.05 * KILLS, `${phase}: ${count}`);
  }
  assert(report.faults >= FAULTS, said);
  assert(report.databaseFaults >= 8, said);
  assertMatch(report.summary, /^selftest: seed 7, 20 kills, .* rows: lost 0, doubled 0$/);
  assertEquals(await traces(database), []);
});

Deno.test("a self-test that is interrupted leaves nothing behind", async () => {
  await using database = await testDatabase();
  const child = selftest(database, []);
  await untilLoading(database);
  child.kill("SIGINT");
  const { code, stdout } = await child.output();
  assertEquals(new TextDecoder().decode(stdout), "");
  assertEquals(code, 130);
  assertEquals(await traces(database), []);
});

Deno.test("the next self-test removes what a killed one left, and no ledger that others use", async () => {
  await using database = await testDatabase({ setUp: true });
  const { sql } = database;
  await sql`
    insert into pgsluice.pipelines (
      name, source_kind, source_host, source_path, target_table, key_column, time_zone,
      schema_fingerprint, dialect, max_record_bytes
    ) values ('theirs', 'folder', '-', '/', 'theirs', 'event_id', 'UTC', '-', 'rfc4180', 1)`;
  const killed = selftest(database, []);
  await untilLoading(database);
  killed.kill("SIGKILL");
  await killed.output();
  assertEquals(await traces(database), ["pgsluice", "pgsluice_selftest_*"]);
  const { code, stdout } = await selftest(database, ["--only", "batches"]).output();
  assertMatch(new TextDecoder().decode(stdout), /lost 0, doubled 0\n$/);
  assertEquals(code, 0);
  assertEquals(await traces(database), ["pgsluice"]);
  const pipelines = await sql<{ name: string }[]>`select name from pgsluice.pipelines`;
  assertEquals(pipelines.map(({ name }) => name), ["theirs"]);
});
