/** pgsluice between shell pipes, as people write them: in bash, with `pipefail`. */
import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLine,
  eventLines,
  type IngestPlace,
  verifyExact,
} from "../support/ingest_fixture.ts";
import { until } from "../support/until.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
/** So that a script reads as a user's does. */
const PRELUDE = `
set -o pipefail
pgsluice() { "$DENO" run --quiet --no-check -A "$MAIN" "$@"; }
`;

interface ScriptRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bash(place: IngestPlace, script: string): Deno.Command {
  return new Deno.Command("bash", {
    args: ["-c", PRELUDE + script],
    cwd: place.home,
    env: {
      DENO: Deno.execPath(),
      MAIN,
      NO_COLOR: "1",
      DATABASE_URL: place.database.url,
      PGSLUICE_HOME: place.home,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function run(place: IngestPlace, script: string): Promise<ScriptRun> {
  const { code, stdout, stderr } = await bash(place, script).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function rowCount({ database }: IngestPlace): Promise<number> {
  const [table] = await database.sql<{ exists: boolean }[]>`
    select to_regclass('user_events') is not null as exists`;
  if (!table!.exists) return 0;
  const [row] = await database.sql<{ count: number }[]>`
    select count(*)::int as count from user_events`;
  return row!.count;
}

ingestCase("a generator piped into an ingester again loads nothing twice", async (place) => {
  const script = `
    pgsluice generate --out - --events 500 --seed 7 --start 2026-01-01 |
      pgsluice ingest - --source-id shop --json`;
  const first = await run(place, script);
  assertEquals(first.code, 0, first.stderr);
  assertEquals(JSON.parse(first.stdout).loaded, 500);
  const second = await run(place, script);
  assertEquals(second.code, 0, second.stderr);
  const { loaded, duplicate } = JSON.parse(second.stdout);
  assertEquals([loaded, duplicate, await rowCount(place)], [0, 0, 500]);
  await verifyExact(place, "stdin");
});

ingestCase(
  "a pipe that was cut goes on where the ledger stands, and --quiet says nothing",
  async (place) => {
    const generate = "pgsluice generate --out - --events 500 --seed 7 --start 2026-01-01 --quiet";
    const ingest = "pgsluice ingest - --source-id shop --quiet";
    const cut = await run(place, `${generate} | head -n 201 | ${ingest}`);
    assertEquals(cut, { code: 0, stdout: "", stderr: "" });
    assertEquals(await rowCount(place), 200);
    assertEquals(await run(place, `${generate} | ${ingest}`), { code: 0, stdout: "", stderr: "" });
    assertEquals(await rowCount(place), 500);
  },
);

ingestCase("a reader that has enough ends the writer without an error", async (place) => {
  const { code, stdout, stderr } = await run(
    place,
    `pgsluice generate --out - --events 1M --seed 7 --quiet | head -n 3; echo "\${PIPESTATUS[@]}"`,
  );
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assertMatch(lines[0]!, /^event_id,/);
  assertEquals(lines.slice(3), ["0 0"]);
});

ingestCase("a reader that has enough ends a list from the database as well", async (place) => {
  const lines = eventLines(0, 1_000).map((line) => line.replace(/,view,/, ",glance,"));
  await Deno.writeTextFile(join(place.events, "a.csv"), csvText([eventLine(1_000), ...lines]));
  assertEquals((await run(place, "pgsluice ingest ./events --once --quiet")).code, 0);
  for (const command of ["rejects export", "rejects list --json"]) {
    const { stdout, stderr } = await run(
      place,
      `pgsluice ${command} --quiet | head -c 1; echo " \${PIPESTATUS[@]}"`,
    );
    assertEquals([stdout.slice(1), stderr], [" 0 0\n", ""], command);
  }
});

ingestCase("rejects come out of a pipe, are mended by sed and go in by another", async (place) => {
  const lines = eventLines(0, 10).map((line, index) =>
    index === 3 ? line.replace(/,view,/, ",glance,") : line
  );
  await Deno.writeTextFile(join(place.events, "a.csv"), csvText(lines));
  const loaded = await run(place, "pgsluice ingest ./events --once --quiet");
  assertEquals(loaded.code, 0, loaded.stderr);
  assertEquals(await rowCount(place), 9);
  const mended = await run(
    place,
    "pgsluice rejects export --quiet | sed 's/,glance,/,view,/' | " +
      "pgsluice rejects retry - --quiet",
  );
  assertEquals(mended.code, 0, mended.stderr);
  assertEquals(await rowCount(place), 10);
});

ingestCase("tail -F of a growing file is a stream that can be taken up again", async (place) => {
  const path = join(place.home, "access.csv");
  await Deno.writeTextFile(path, csvText(eventLines(0, 10)));
  const follow = `
    tail -n +1 -F access.csv 2>/dev/null | pgsluice ingest - --source-id access --quiet`;
  for (const total of [10, 20]) {
    const child = bash(place, follow).spawn();
    await until(
      `${total} rows`,
      async () => await rowCount(place) === total,
    );
    await stop(place, child);
    await Deno.writeTextFile(path, eventLines(total, total + 10).join("\n") + "\n", {
      append: true,
    });
  }
  assertEquals(await rowCount(place), 20);
});

/** Ends the ingester of this place as a service manager does, and then what wrote to it. */
async function stop(place: IngestPlace, child: Deno.ChildProcess): Promise<void> {
  for (const { pid, args } of processesIn(place)) {
    if (args.includes("ingest")) Deno.kill(pid, "SIGTERM");
  }
  await until(
    "the ingester ends",
    () => processesIn(place).every(({ args }) => !args.includes("ingest")),
  );
  for (const { pid, args } of processesIn(place)) if (args[0] === "tail") Deno.kill(pid, "SIGTERM");
  await child.output();
}

/** By the working folder, which is the place's home. */
function processesIn({ home }: IngestPlace): { pid: number; args: string[] }[] {
  const found: { pid: number; args: string[] }[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readLinkSync(`/proc/${name}/cwd`) !== home) continue;
      const args = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
      found.push({ pid: Number(name), args });
    } catch {
      // it ended meanwhile
    }
  }
  return found;
}
