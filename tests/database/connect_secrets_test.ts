import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { connect } from "../../src/database/connect.ts";
import { csvText, eventLines } from "../support/ingest_fixture.ts";
import { type OwnCluster, ownCluster } from "./own_cluster.ts";
import { pgsluiceProcess, type ProcessEnd } from "./pgsluice_process.ts";

/** In every password here, and nowhere else. */
const MARK = "xyzzy";
const PASSWORD = `p@ss/${MARK}:%41?#&='"\\$ \u00e4`;
const ENCODED = encodeURIComponent(PASSWORD);

let shared: Promise<OwnCluster> | null = null;

Deno.test.afterAll(async () => {
  await (await shared)?.[Symbol.asyncDispose]();
  shared = null;
});

/** A server that lets `ann` in with the password, and has no such thing as `bob`. */
function server(): Promise<OwnCluster> {
  return shared ??= (async () => {
    const rules = "local all ann scram-sha-256\nlocal all bob scram-sha-256";
    const own = await ownCluster({ rules });
    const admin = await connect({ kind: "server", url: own.url }, { applicationName: "secrets" });
    const [row] = await admin.sql`select quote_literal(${PASSWORD}) as literal`;
    await admin.sql.unsafe(`create role ann login password ${row!.literal}`);
    await admin.sql.unsafe("create database shop owner ann encoding 'UTF8' template template0");
    await admin.close();
    return own;
  })();
}

async function urlOf(login: string): Promise<string> {
  return (await server()).url.replace("postgres@", `${login}@`).replace("/postgres?", "/shop?");
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Nothing that a process wrote holds a piece of a password. */
function assertSilent({ stdout, stderr }: ProcessEnd): void {
  const told = stdout + stderr;
  assert(!told.includes(MARK), told);
}

const LOUD = { PGSLUICE_DEBUG: "1" };

const COMMANDS: readonly string[][] = [
  ["ingest", "--once"],
  ["ingest", "--once", "--log-format", "json", "--log-level", "debug"],
  ["setup", "--json"],
  ["status", "--json"],
  ["verify"],
  ["files", "list"],
  ["rejects", "list"],
  ["prune", "--older-than", "1d"],
  ["selftest", "--kills", "1", "--faults", "0"],
];

for (const args of COMMANDS) {
  Deno.test(`a refused login shows no password: ${args.join(" ")}`, async () => {
    await withFolder(async (cwd) => {
      await Deno.mkdir(join(cwd, "data", "events"), { recursive: true });
      const environment = { ...LOUD, DATABASE_URL: await urlOf(`bob:${ENCODED}`) };
      const end = await pgsluiceProcess(args, { cwd, environment });
      assertEquals(end.code, 1, end.stderr);
      assertStringIncludes(end.stderr, "database-login");
      assertSilent(end);
    });
  });
}

/** URLs that do not work, and for each what the process says instead. */
const FAILING: readonly { url: string; code: string }[] = [
  { url: `postgresql://ann:${ENCODED}@127.0.0.1:1/shop`, code: "database-unreachable" },
  { url: `postgresql://ann:${ENCODED}@no-such-host.invalid/shop`, code: "database-unreachable" },
  { url: `postgresql://ann:${ENCODED}@/shop?host=/no/such/folder`, code: "database-unreachable" },
  {
    url: `postgresql://h/shop?user=ann&password=${ENCODED}&sslmode=verify-ca&sslrootcert=/no/file`,
    code: "database-tls",
  },
  { url: `postgresql://ann:${ENCODED}@h/shop?sslmode=allow`, code: "database-url" },
  { url: `postgresql://ann:${ENCODED}@h/shop?schema=x`, code: "database-url" },
  { url: `postgresql://ann:${ENCODED}@h/shop?service=none`, code: "database-service" },
  { url: `postgresql://ann:${ENCODED}@h:port/shop`, code: "database-url" },
  { url: `postgres//ann:${ENCODED}@h/shop`, code: "database-url" },
  { url: `host=h user=ann password=${MARK}`, code: "database-url" },
  { url: `postgresql://ann:1?${MARK}@h/shop`, code: "database-url" },
  { url: `postgresql://ann:1?a=b&${MARK}=c@h/shop`, code: "database-url" },
  { url: `postgresql://ann:1?sslmode=${MARK}@h/shop`, code: "database-url" },
  { url: `postgresql://ann:%${MARK}@h/shop`, code: "database-url" },
  { url: `postgresql://ann:${MARK}`, code: "database-url" },
  { url: `postgresql://ann:[${MARK}`, code: "database-url" },
];

for (const { url, code } of FAILING) {
  Deno.test(`a URL that does not work is not repeated: ${url.replaceAll(MARK, "…")}`, async () => {
    await withFolder(async (cwd) => {
      const byFlag = await pgsluiceProcess(["setup", "--database", url], {
        cwd,
        environment: LOUD,
      });
      const byVariable = await pgsluiceProcess(["status", "--json"], {
        cwd,
        environment: { ...LOUD, DATABASE_URL: url },
      });
      for (const end of [byFlag, byVariable]) {
        assertStringIncludes(end.stderr, `[${code}]`);
        assertSilent(end);
      }
    });
  });
}

/** The ways to give a password that is not in the URL. */
const WAYS: readonly {
  title: string;
  give: (folder: string) => Promise<Record<string, string>>;
}[] = [
  { title: "PGPASSWORD", give: () => Promise.resolve({ PGPASSWORD: PASSWORD }) },
  {
    title: "a password file",
    give: async (folder) => {
      const path = join(folder, "passwords");
      const escaped = PASSWORD.replace(/[\\:]/g, "\\$&");
      await Deno.writeTextFile(path, `*:*:*:ann:${escaped}\n`, { mode: 0o600 });
      return { PGPASSFILE: path };
    },
  },
  {
    title: "a credential",
    give: async (folder) => {
      await Deno.writeTextFile(join(folder, "database-password"), `${PASSWORD}\n`);
      return { CREDENTIALS_DIRECTORY: folder };
    },
  },
  {
    title: "a service",
    give: async (folder) => {
      const path = join(folder, "services");
      await Deno.writeTextFile(path, `[shop]\npassword=${PASSWORD}\n`);
      return { PGSERVICEFILE: path, PGSERVICE: "shop" };
    },
  },
];

for (const { title, give } of WAYS) {
  Deno.test(`an ingest with the password from ${title} works, and shows and keeps none`, async () => {
    await withFolder(async (cwd) => {
      const events = join(cwd, "data", "events");
      await Deno.mkdir(events, { recursive: true });
      await Deno.writeTextFile(join(events, "a.csv"), csvText([...eventLines(0, 20), "bad"]));
      const secrets = join(cwd, "secrets");
      await Deno.mkdir(secrets);
      const environment = {
        ...LOUD,
        DATABASE_URL: await urlOf("ann"),
        ...await give(secrets),
      };
      const pipeline = ["--pipeline", crypto.randomUUID()];
      for (
        const args of [
          ["ingest", "--once", "--json", "--log-level", "debug", ...pipeline],
          ["status", "--json"],
          ["status"],
          ["verify", ...pipeline],
          ["db", "url"],
        ]
      ) {
        const end = await pgsluiceProcess(args, { cwd, environment });
        assertEquals(end.code, 0, end.stderr);
        assertSilent(end);
      }
      const journal = await new Deno.Command("grep", {
        args: ["-rl", MARK, join(cwd, "checkpoints")],
      }).output();
      assertEquals(new TextDecoder().decode(journal.stdout), "");
    });
  });
}

Deno.test("db psql gives the password to psql where other users cannot see it", async () => {
  await withFolder(async (cwd) => {
    const psql = join(cwd, "psql");
    await Deno.writeTextFile(
      psql,
      '#!/bin/sh\nprintf "%s\\n" "$@"\n[ -n "$PGPASSWORD" ] && echo given\n',
    );
    await Deno.chmod(psql, 0o755);
    const end = await pgsluiceProcess(["db", "psql", "--", "-c", "select 1"], {
      cwd,
      environment: {
        PATH: `${cwd}:${Deno.env.get("PATH")}`,
        DATABASE_URL: `postgresql://ann:${ENCODED}@h/shop?sslmode=require`,
      },
    });
    assertEquals(end.stdout.split("\n"), [
      "--dbname=postgresql://ann@h/shop?sslmode=require",
      "-c",
      "select 1",
      "given",
      "",
    ]);
    assertSilent(end);
  });
});
