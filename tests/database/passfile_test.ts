import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { connect } from "../../src/database/connect.ts";
import {
  findPassword,
  type PasswordQuestion,
  readPasswordFile,
} from "../../src/database/password_file.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { ownCluster } from "./own_cluster.ts";

const QUESTION: PasswordQuestion = { host: "db", port: 5432, database: "shop", user: "ann" };

const FILES: readonly {
  title: string;
  text: string;
  question?: Partial<PasswordQuestion>;
  password: string | undefined;
}[] = [
  { title: "a line that fits", text: "db:5432:shop:ann:secret\n", password: "secret" },
  { title: "a last line without its newline", text: "db:5432:shop:ann:secret", password: "secret" },
  {
    title: "lines that end as on Windows",
    text: "db:5432:shop:ann:secret\r\n",
    password: "secret",
  },
  { title: "another host", text: "other:5432:shop:ann:secret", password: undefined },
  { title: "another port", text: "db:5433:shop:ann:secret", password: undefined },
  { title: "another database", text: "db:5432:other:ann:secret", password: undefined },
  { title: "another user", text: "db:5432:shop:bob:secret", password: undefined },
  { title: "stars", text: "*:*:*:*:secret", password: "secret" },
  { title: "a star among letters is one", text: "d*:*:*:*:secret", password: undefined },
  { title: "a star that is meant", text: "\\*:*:*:*:secret", password: undefined },
  {
    title: "the first line that fits",
    text: "other:*:*:*:zero\ndb:*:*:ann:one\n*:*:*:*:two\n",
    password: "one",
  },
  {
    title: "a comment",
    text: "#b:*:*:*:zero\ndb:*:*:*:one",
    question: { host: "#b" },
    password: undefined,
  },
  {
    title: "colons and backslashes in the password",
    text: "db:*:*:*:s\\:e\\\\c\\ret",
    password: "s:e\\cret",
  },
  { title: "a colon ends the password", text: "db:*:*:*:secret:rest", password: "secret" },
  { title: "other odd letters of a password", text: "db:*:*:*: s%41#@ ", password: " s%41#@ " },
  {
    title: "colons in the host",
    text: "\\:\\:1:*:*:*:secret",
    question: { host: "::1" },
    password: "secret",
  },
  {
    title: "colons and backslashes in user and database",
    text: "*:*:a\\:b:c\\\\d:secret",
    question: { database: "a:b", user: "c\\d" },
    password: "secret",
  },
  {
    title: "localhost for a socket in its default folder",
    text: "localhost:*:*:*:secret",
    question: { host: "/var/run/postgresql" },
    password: "secret",
  },
  {
    title: "the folder for a socket elsewhere",
    text: "localhost:*:*:*:wrong\n/srv/socket:*:*:*:secret",
    question: { host: "/srv/socket" },
    password: "secret",
  },
  { title: "an empty password is none", text: "db:*:*:*:\n*:*:*:*:secret", password: undefined },
  { title: "a line too short", text: "db:*:*\n*:*:*:ann", password: undefined },
];

for (const { title, text, question, password } of FILES) {
  Deno.test(`a password file is read as libpq reads it: ${title}`, () => {
    assertEquals(findPassword(text, { ...QUESTION, ...question }), password);
  });
}

async function withFile(
  text: string,
  mode: number,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "passwords");
  try {
    await Deno.writeTextFile(path, text);
    await Deno.chmod(path, mode);
    await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const mode of [0o640, 0o604, 0o610, 0o602]) {
  Deno.test(`a password file of mode ${mode.toString(8)} is ignored, and that is said`, async () => {
    await withFile("*:*:*:*:secret", mode, async (path) => {
      assertEquals(await readPasswordFile(path, QUESTION), {
        password: undefined,
        trouble: `password file ${path} is ignored: others than its owner may use it ` +
          `(chmod 600 ${path})`,
      });
    });
  });
}

Deno.test("a password file that is none, or is not there, is no error", async () => {
  await withFile("*:*:*:*:secret", 0o400, async (path) => {
    assertEquals((await readPasswordFile(path, QUESTION)).password, "secret");
    assertStringIncludes(
      (await readPasswordFile(join(path, ".."), QUESTION)).trouble ?? "",
      "it is not a plain file",
    );
  });
  assertEquals(await readPasswordFile("/no/such/file", QUESTION), {
    password: undefined,
    trouble: null,
  });
});

/** Runs with another `HOME`. */
async function withHome(home: string, use: () => Promise<void>): Promise<void> {
  const before = Deno.env.get("HOME");
  Deno.env.set("HOME", home);
  try {
    await use();
  } finally {
    if (before === undefined) Deno.env.delete("HOME");
    else Deno.env.set("HOME", before);
  }
}

Deno.test("a connection takes the password that nobody gave from the password file", async () => {
  await using own = await ownCluster({ rules: "local all ann scram-sha-256" });
  const admin = await connect({ kind: "server", url: own.url }, { applicationName: "passfile" });
  await admin.sql.unsafe("create role ann login password 's:e\\c@t'");
  await admin.close();
  const url = own.url.replace("postgres@", "ann@");
  const right = "*:*:*:ann:s\\:e\\\\c@t\n";
  const said: string[] = [];
  const userOf = async (each: string): Promise<string> => {
    const client = await connect({ kind: "server", url: each }, {
      applicationName: "passfile test",
      say: (text) => said.push(text),
    });
    const [row] = await client.sql`select current_user as name`;
    await client.close();
    return row!.name;
  };
  const refusal = (each: string) => assertRejects(() => userOf(each), PgsluiceError);
  await withFile(right, 0o600, async (path) => {
    assertEquals(await userOf(`${url}&passfile=${path}`), "ann");
    const given = await refusal(`${url.replace("ann@", "ann:other@")}&passfile=${path}`);
    assertEquals(given.hint.includes(path), false);
    const home = join(path, "..");
    await Deno.rename(path, join(home, ".pgpass"));
    await withHome(home, async () => assertEquals(await userOf(url), "ann"));
  });
  await withFile("*:*:*:*:wrong", 0o600, async (path) => {
    const error = await refusal(`${url}&passfile=${path}`);
    assertEquals(error.code, "database-login");
    assertStringIncludes(error.hint, `the password came from ${path}`);
  });
  assertEquals(said, []);
  await withFile(right, 0o644, async (path) => {
    const error = await refusal(`${url}&passfile=${path}`);
    await refusal(`${url}&passfile=${path}`);
    assertStringIncludes(error.hint, `password file ${path} is ignored`);
    assertEquals(said.length, 1, "it is said once");
    assertStringIncludes(said[0]!, `warning: password file ${path} is ignored`);
  });
});
