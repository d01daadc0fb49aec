import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

/** Runs `pgsluice config show` in a folder, with no variables but those given. */
async function configShow(
  folder: string,
  { args, environment = {} }: {
    args: readonly string[];
    environment?: Readonly<Record<string, string>>;
  },
) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", MAIN, "config", "show", ...args],
    cwd: folder,
    clearEnv: true,
    env: {
      NO_COLOR: "1",
      PATH: Deno.env.get("PATH") ?? "",
      HOME: Deno.env.get("HOME") ?? folder,
      DENO_DIR: Deno.env.get("DENO_DIR") ?? "",
      ...environment,
    },
  }).output();
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The cells of the row of a setting: value and origin. */
function row(table: string, name: string): string[] | undefined {
  const line = table.split("\n").find((line) => line.startsWith(`${name} `));
  return line?.split(/ {2,}/).slice(1);
}

Deno.test("config show tells each value and where it is from, and runs nothing", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(
      join(folder, "p.json"),
      '{"table": "filed", "source": "./spool",\n "batch-rows": "5k", "rate": 7, "once": true}',
    );
    const { code, stdout, stderr } = await configShow(folder, {
      args: ["ingest", "--config", "p.json", "--linger", "1s"],
      environment: { PGSLUICE_TABLE: "orders" },
    });
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertEquals(row(stdout, "source"), ["./spool", "p.json:1"]);
    assertEquals(row(stdout, "table"), ["orders", "PGSLUICE_TABLE"]);
    assertEquals(row(stdout, "batch-rows"), ["5000", "p.json:2"]);
    assertEquals(row(stdout, "linger"), ["1s", "--linger"]);
    assertEquals(row(stdout, "once"), ["true", "p.json:2"]);
    assertEquals(row(stdout, "settle"), ["5s", "default"]);
    assertEquals(row(stdout, "recursive"), ["false", "default"]);
    assertEquals(row(stdout, "from"), ["-", "default"]);
    assertEquals(row(stdout, "config"), ["p.json", "--config"]);
    assertEquals(row(stdout, "rate"), undefined);
    assertEquals(row(stdout, "checkpoints"), [join(folder, "checkpoints"), "default"]);
    assertMatch(row(stdout, "database")![0]!, /of the embedded server in/);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["p.json"]);
  });
});

Deno.test("config show --json has the table's facts, as a file would say them", async () => {
  await withFolder(async (folder) => {
    const { stdout } = await configShow(folder, {
      args: ["ingest", "./in", "--json", "--batch-bytes=1MiB", "--settle=2s"],
      environment: { PGSLUICE_HOME: "/srv/p", PGSLUICE_QUIET: "1" },
    });
    const { command, settings } = JSON.parse(stdout);
    assertEquals(command, "ingest");
    const byName = new Map<string, unknown>(
      settings.map(({ name, ...rest }: { name: string }) => [name, rest]),
    );
    assertEquals(byName.get("source"), { value: "./in", source: "flag", place: "the argument" });
    assertEquals(
      byName.get("batch-bytes"),
      { value: 1024 * 1024, source: "flag", place: "--batch-bytes" },
    );
    assertEquals(byName.get("settle"), { value: "2s", source: "flag", place: "--settle" });
    assertEquals(
      byName.get("quiet"),
      { value: true, source: "environment", place: "PGSLUICE_QUIET" },
    );
    assertEquals(
      byName.get("linger"),
      { value: null, default: "20ms", source: "default", place: null },
    );
    assertEquals(
      byName.get("checkpoints"),
      { value: "/srv/p/checkpoints", source: "default", place: "PGSLUICE_HOME" },
    );
  });
});

interface SecretCase {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly file?: string;
  readonly database: readonly string[];
}

const PASSWORD = "s3cr3t";

const SECRETS: Readonly<Record<string, SecretCase>> = {
  "in a flag": {
    args: ["--database", `postgresql://u:${PASSWORD}@h/d`],
    environment: { DATABASE_URL: `postgresql://other:${PASSWORD}@o/d` },
    database: ["postgresql://u@h/d", "--database"],
  },
  "in a parameter of the URL, in PGSLUICE_DATABASE": {
    environment: { PGSLUICE_DATABASE: `postgresql://u@h/d?password=${PASSWORD}` },
    database: ["postgresql://u@h/d", "PGSLUICE_DATABASE"],
  },
  "in a file": {
    args: ["--config", "p.json"],
    file: `{"database": "postgresql://u:${PASSWORD}@h/d"}`,
    environment: { DATABASE_URL: `postgresql://other:${PASSWORD}@o/d` },
    database: ["postgresql://u@h/d", "p.json:1"],
  },
  "in DATABASE_URL": {
    environment: { DATABASE_URL: `postgresql://u:${PASSWORD}@h/d` },
    database: ["postgresql://u@h/d", "DATABASE_URL"],
  },
  "in PGPASSWORD": {
    environment: { PGHOST: "h", PGUSER: "u", PGDATABASE: "d", PGPASSWORD: PASSWORD },
    database: ["postgresql://u@h/d", "PG*"],
  },
};

for (const [place, { args = [], environment = {}, file, database }] of Object.entries(SECRETS)) {
  Deno.test(`config show does not show a password ${place}`, async () => {
    await withFolder(async (folder) => {
      if (file !== undefined) await Deno.writeTextFile(join(folder, "p.json"), file);
      const table = await configShow(folder, { args: ["status", ...args], environment });
      assertEquals([table.code, row(table.stdout, "database")], [0, [...database]]);
      const json = await configShow(folder, { args: ["status", "--json", ...args], environment });
      for (const text of [table.stdout, table.stderr, json.stdout, json.stderr]) {
        assertEquals(text.includes(PASSWORD), false, text);
      }
    });
  });
}

Deno.test("a URL in a configuration file that cannot be used is refused without its password", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "p.json");
    await Deno.writeTextFile(path, `{"database": "postgresql://u:${PASSWORD}@h:port/d"}`);
    const { code, stdout, stderr } = await configShow(folder, { args: ["--config", path] });
    assertEquals([code, stdout, stderr.includes(PASSWORD)], [2, "", false], stderr);
    assertMatch(stderr, /is not a usable database URL/);
  });
});
