import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import type { Command, Terminal } from "../../src/cli/command.ts";
import { dbPsqlCommand } from "../../src/cli/db_psql.ts";
import { dbStartCommand } from "../../src/cli/db_start.ts";
import { dbStatusCommand } from "../../src/cli/db_status.ts";
import { dbStopCommand } from "../../src/cli/db_stop.ts";
import { dbUrlCommand } from "../../src/cli/db_url.ts";
import { parseArguments } from "../../src/cli/flags.ts";
import { setupCommand } from "../../src/cli/setup.ts";
import { connect } from "../../src/database/connect.ts";
import { stopEmbeddedServer } from "../../src/database/embedded_server.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { testDatabase } from "../support/test_database.ts";
import { fastDirectory } from "../support/test_server.ts";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command as the command line does, and collects what it writes. */
async function run(command: Command, ...args: string[]): Promise<Outcome> {
  let [stdout, stderr] = ["", ""];
  const terminal: Terminal = {
    write: (data) => {
      stdout += typeof data === "string" ? data : new TextDecoder().decode(data);
      return Promise.resolve();
    },
    say: (text) => stderr += `${text}\n`,
    log: ({ message }) => stderr += `${message}\n`,
    live: () => {},
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: 80,
  };
  const code = await command.run({
    ...parseArguments(command, args, () => undefined),
    terminal,
    signal: new AbortController().signal,
  });
  return { code, stdout, stderr };
}

/** Variables that decide which database is meant. */
const VARIABLES = ["DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER"];

/** An environment with a home of its own and, but for `variables`, the embedded server. */
async function withHome(
  work: (home: string) => Promise<void>,
  variables: Record<string, string> = {},
): Promise<void> {
  const home = await Deno.makeTempDir({ dir: await fastDirectory(), prefix: "pgsluice-home-" });
  await Deno.chmod(home, 0o711);
  const names = [...VARIABLES, "PGPASSWORD", "PGSLUICE_HOME", ...Object.keys(variables)];
  const before = names.map((name) => [name, Deno.env.get(name)] as const);
  for (const name of names) Deno.env.delete(name);
  Deno.env.set("PGSLUICE_HOME", home);
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    await work(home);
  } finally {
    await stopEmbeddedServer(join(home, "data", "postgres"));
    await Deno.remove(home, { recursive: true });
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

Deno.test("db start, status, url and stop tell and do the same of one server", async () => {
  await withHome(async (home) => {
    assertStringIncludes((await run(dbStatusCommand)).stdout, "none was made yet");
    const unmade = await run(dbUrlCommand);
    assertStringIncludes(unmade.stderr, "pgsluice db start");

    assertEquals((await run(dbStartCommand)).stdout, "started; it stays up\n");
    assertEquals((await run(dbStartCommand)).stdout, "it was up; it stays up\n");

    const status = await run(dbStatusCommand);
    assertStringIncludes(status.stdout, "PostgreSQL 18");
    assertStringIncludes(status.stdout, "up until `pgsluice db stop`");
    const facts = JSON.parse((await run(dbStatusCommand, "--json")).stdout);
    assertEquals(facts.isUp, true);
    assertEquals(facts.dataDirectory, join(home, "data", "postgres", "cluster"));
    assertEquals(facts.sizeBytes > 1_000_000, true);
    assertStringIncludes(status.stdout, String(facts.pid));

    await run(setupCommand);
    const url = await run(dbUrlCommand);
    assertEquals(url.stderr, "");
    assertMatch(url.stdout, /^postgresql:\/\/postgres@\/spark_db\?host=%2F.*\n$/);
    assertEquals(url.stdout, unmade.stdout);
    const client = await connect({ kind: "server", url: url.stdout.trim() }, {
      applicationName: "db url test",
    });
    assertEquals((await client.sql`select current_database() as name`)[0], { name: "spark_db" });
    await client.close();

    assertEquals((await run(dbStopCommand)).stdout, "stopped\n");
    assertEquals((await run(dbStopCommand)).stdout, "it was not up\n");
    assertStringIncludes((await run(dbStatusCommand)).stdout, "down");
  });
});

Deno.test("setup on the embedded server makes everything, and says what", async () => {
  await withHome(async (home) => {
    const first = await run(setupCommand);
    assertEquals(first.code, 0);
    assertEquals(first.stdout.split("\n"), [
      "made database spark_db",
      "applied migration 0001_ledger",
      "applied migration 0002_repair",
      "applied migration 0003_stages",
      "applied migration 0004_minutes",
      "applied migration 0005_report_times",
      "made table user_events with its indexes",
      `ready: database spark_db of the embedded server in ${join(home, "data", "postgres")}`,
      "",
    ]);
    assertStringIncludes(first.stderr, "making a PostgreSQL 18 server");
    assertMatch((await run(setupCommand)).stdout, /^everything was there\nready: /);
    const json = JSON.parse((await run(setupCommand, "--json", "--table", "other")).stdout);
    assertEquals([json.table, json.did], ["other", ["made table other with its indexes"]]);
  });
});

Deno.test("setup on a server of one's own takes --database, and prints no password", async () => {
  await using database = await testDatabase();
  const url = database.url.replace(/\/\/([^:@]*)(?::[^@]*)?@/, "//$1:secret@");
  const { stdout } = await run(setupCommand, "--database", url);
  assertStringIncludes(stdout, "made table user_events");
  assertEquals(stdout.includes("secret"), false);
});

Deno.test("setup --print writes SQL and needs no database", async () => {
  const { stdout } = await run(setupCommand, "--print", "--database", "postgresql://127.0.0.1:1/x");
  for (const part of ["create schema if not exists pgsluice", 'create table "user_events"']) {
    assertStringIncludes(stdout, part);
  }
});

Deno.test("db url of a server of one's own leaves the password out", async () => {
  await withHome(
    async () => {
      assertEquals((await run(dbUrlCommand)).stdout, "postgresql://ann@db.example/shop\n");
    },
    { DATABASE_URL: "postgresql://ann:secret@db.example/shop" },
  );
});

/** A psql that writes down how it was called. */
async function fakePsql(folder: string): Promise<void> {
  const path = join(folder, "psql");
  await Deno.writeTextFile(
    path,
    '#!/bin/sh\nprintf "%s\\n" "$PGPASSWORD" "$@" > "$PSQL_LOG"\nexit 3\n',
  );
  await Deno.chmod(path, 0o755);
}

Deno.test("db psql hands psql the URL and its arguments, and the password apart", async () => {
  const folder = await Deno.makeTempDir();
  await fakePsql(folder);
  const log = join(folder, "log");
  await withHome(
    async () => {
      assertEquals((await run(dbPsqlCommand, "--", "-c", "select 1")).code, 3);
      assertEquals(
        await Deno.readTextFile(log),
        [
          "secret",
          "--dbname=postgresql://ann@db.example/shop",
          "-c",
          "select 1",
          "",
        ].join("\n"),
      );
    },
    {
      DATABASE_URL: "postgresql://ann:secret@db.example/shop",
      PATH: `${folder}:${Deno.env.get("PATH")}`,
      PSQL_LOG: log,
    },
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("db psql without psql tells the URL and how to install it", async () => {
  await withHome(async () => {
    const error = await assertRejects(() => run(dbPsqlCommand), PgsluiceError);
    assertEquals(error.code, "no-psql");
    assertStringIncludes(error.message, "postgresql://ann@db.example/shop");
    assertStringIncludes(error.hint, "postgresql-client");
  }, { DATABASE_URL: "postgresql://ann:secret@db.example/shop", PATH: "/no/such/folder" });
});
