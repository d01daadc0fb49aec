/** `pgsluice query` as a process: between pipes, under signals, and where there is no database. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLines,
  ingestOnce,
  type IngestPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { until } from "../support/until.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
/** So that a script reads as a user's does. */
const PRELUDE = `
set -o pipefail
pgsluice() { "$DENO" run --quiet --no-check -A "$MAIN" "$@"; }
`;

const ENDLESS = "select generate_series(1, 1000000000000) as n";

function environmentOf(place: IngestPlace): Record<string, string> {
  return {
    DENO: Deno.execPath(),
    MAIN,
    NO_COLOR: "1",
    DATABASE_URL: place.database.url,
    PGSLUICE_HOME: place.home,
  };
}

async function run(
  place: IngestPlace,
  script: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
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

/** A process that is asked a statement, as somebody's at a terminal or in a pipe. */
function ask(
  place: IngestPlace,
  statement: string,
  stdout: "null" | "piped" = "null",
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "-A", MAIN],
      ...["query", "--format", "csv", "--sql", statement],
    ],
    env: environmentOf(place),
    stdin: "null",
    stdout,
    stderr: "piped",
  }).spawn();
}

/** How many sessions of the command there are. */
async function sessionCount({ database }: IngestPlace): Promise<number> {
  const [row] = await database.sql<{ count: number }[]>`
    select count(*)::int as count
    from pg_stat_activity
    where application_name = 'pgsluice query' and datname = current_database()`;
  return row!.count;
}

async function untilAsked(place: IngestPlace, part: string): Promise<void> {
  await until("the statement runs", async () => {
    const found = await place.database.sql`
      select from pg_stat_activity
      where application_name = 'pgsluice query'
        and datname = current_database()
        and state = 'active'
        and query like ${`%${part}%`}`;
    return found.length > 0;
  });
}

async function untilGone(place: IngestPlace): Promise<void> {
  await until("the server has ended it", async () => await sessionCount(place) === 0);
}

ingestCase(
  "a reader that has enough ends a query without an error, in the server too",
  async (place) => {
    const { code, stdout, stderr } = await run(
      place,
      `pgsluice query --sql '${ENDLESS}' --format csv | head -n 3; echo "\${PIPESTATUS[@]}"`,
    );
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: "n\n1\n2\n0 0\n", stderr: "" });
    await untilGone(place);
  },
);

ingestCase("a report is piped like any text", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 120)));
  await ingestOnce(place);
  const { code, stdout, stderr } = await run(
    place,
    "pgsluice query traffic --by minute --format csv --quiet | cut -d, -f1,2 | head -n 3",
  );
  assertEquals({ code, stdout, stderr }, {
    code: 0,
    stdout: "minute,events\n2026-03-14T10:00:00Z,60\n2026-03-14T10:01:00Z,60\n",
    stderr: "",
  });
});

ingestCase("Ctrl-C ends a query with the signal's exit code, in the server too", async (place) => {
  const child = ask(place, "select pg_sleep(600)");
  await untilAsked(place, "pg_sleep");
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  assertEquals([code, new TextDecoder().decode(stderr)], [130, "stopping; once more to abort\n"]);
  await untilGone(place);
});

ingestCase("Ctrl-C ends a query whose reader takes nothing", async (place) => {
  const child = ask(place, ENDLESS, "piped");
  // the pipe is full when the server has waited for its reader over two looks
  await until("the reader is waited for", async () => {
    const [session] = await place.database.sql<{ waits: boolean }[]>`
      select wait_event = 'ClientRead' and clock_timestamp() - state_change > '0.5 s' as waits
      from pg_stat_activity
      where application_name = 'pgsluice query' and datname = current_database()`;
    return session?.waits === true;
  });
  child.kill("SIGTERM");
  const { code } = await child.status;
  assertEquals(code, 143);
  await child.stdout.cancel();
  await child.stderr.cancel();
  await untilGone(place);
});

ingestCase("a query that is killed goes on in the server for a moment only", async (place) => {
  const child = ask(place, "select pg_sleep(600)");
  await untilAsked(place, "pg_sleep");
  child.kill("SIGKILL");
  await child.output();
  await untilGone(place);
});

ingestCase(
  "where there is no database yet a query makes none, and says what to do",
  async (place) => {
    const home = join(place.home, "empty");
    await Deno.mkdir(home);
    const environment = { DATABASE_URL: "", PGSLUICE_HOME: home };
    for (const question of ["traffic", "--sql 'select 1'"]) {
      assertEquals(await run(place, `pgsluice query ${question}`, environment), {
        code: 1,
        stdout: "",
        stderr: "error: there is no database yet, so there is nothing to ask [no-ledger]\n" +
          "try: load something with `pgsluice ingest`, or name a server with --database\n",
      });
    }
    assertEquals([...Deno.readDirSync(home)], []);
  },
);

ingestCase("a statement may come from a file, comments and all", async (place) => {
  const path = join(place.home, "question.sql");
  await Deno.writeTextFile(
    path,
    "/* how many? */\nselect count(*) -- of them\nfrom (values (1), (2)) v;\n",
  );
  const { code, stdout, stderr } = await run(
    place,
    'pgsluice query --sql "$(cat question.sql)" --format csv',
  );
  assertEquals([code, stdout], [0, "count\n2\n"]);
  assertStringIncludes(stderr, "1 row in ");
});
