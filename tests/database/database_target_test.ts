import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  type DatabaseTarget,
  databaseTarget,
  describeTarget,
  serverPassword,
  targetDatabase,
  withDatabase,
} from "../../src/database/database_target.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";

function targetOf(
  databaseFlag: string | undefined,
  variables: Record<string, string> = {},
): DatabaseTarget {
  return databaseTarget({
    databaseFlag,
    environment: (name) => variables[name],
    postgresDirectory: "/home/ann/data/postgres",
  });
}

const EMBEDDED: DatabaseTarget = {
  kind: "embedded",
  dataDirectory: "/home/ann/data/postgres",
  database: "spark_db",
};

const TARGETS: readonly {
  title: string;
  flag?: string;
  variables?: Record<string, string>;
  target: DatabaseTarget;
}[] = [
  { title: "nothing: the embedded server", target: EMBEDDED },
  { title: "empty variables: the embedded server", variables: { PGHOST: "" }, target: EMBEDDED },
  {
    title: "the flag comes before everything",
    flag: "postgresql://a/x",
    variables: { DATABASE_URL: "postgresql://b/y", PGHOST: "c" },
    target: { kind: "server", url: "postgresql://a/x" },
  },
  {
    title: "DATABASE_URL comes before PG*",
    variables: { DATABASE_URL: "postgresql://b/y", PGHOST: "c" },
    target: { kind: "server", url: "postgresql://b/y" },
  },
  {
    title: "PG* together name a server",
    variables: {
      PGHOST: "c",
      PGPORT: "6000",
      PGUSER: "ann",
      PGPASSWORD: "s:e@c",
      PGDATABASE: "shop",
      PGSSLMODE: "require",
    },
    target: { kind: "server", url: "postgresql://ann:s%3Ae%40c@c:6000/shop?sslmode=require" },
  },
  {
    title: "PGUSER alone is a server on this machine",
    variables: { PGUSER: "ann" },
    target: { kind: "server", url: "postgresql://ann@localhost/spark_db" },
  },
  {
    title: "what a URL leaves out comes from PG*",
    flag: "postgresql://db/shop",
    variables: { PGUSER: "ann", PGPASSWORD: "secret", PGHOST: "other", PGDATABASE: "other" },
    target: { kind: "server", url: "postgresql://ann:secret@db/shop" },
  },
  {
    title: "each thing that a URL leaves out comes from PG*, as the port here",
    flag: "postgresql://db/shop",
    variables: { PGPORT: "6000", PGPASSFILE: "/etc/passwords" },
    target: { kind: "server", url: "postgresql://db:6000/shop?passfile=%2Fetc%2Fpasswords" },
  },
  {
    title: "an address is another way to say which host",
    flag: "postgresql://db/shop",
    variables: { PGHOSTADDR: "10.0.0.1" },
    target: { kind: "server", url: "postgresql://db/shop" },
  },
  {
    title: "the files of TLS are named by PG*",
    flag: "postgresql://db/shop",
    variables: {
      PGSSLMODE: "verify-full",
      PGSSLROOTCERT: "/etc/ca.crt",
      PGSSLCERT: "/etc/ann.crt",
      PGSSLKEY: "/etc/ann.key",
    },
    target: {
      kind: "server",
      url: "postgresql://db/shop?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.crt" +
        "&sslcert=%2Fetc%2Fann.crt&sslkey=%2Fetc%2Fann.key",
    },
  },
  {
    title: "files alone name no server",
    variables: { PGPASSFILE: "/etc/passwords", PGSSLMODE: "require" },
    target: EMBEDDED,
  },
  {
    title: "a URL without host and database",
    flag: "postgresql://ann@",
    target: { kind: "server", url: "postgresql://ann@localhost/spark_db" },
  },
];

for (const { title, flag, variables, target } of TARGETS) {
  Deno.test(`the database is chosen: ${title}`, () => {
    assertEquals(targetOf(flag, variables), target);
  });
}

Deno.test("a bad DATABASE_URL is blamed by its name, without its password", () => {
  const error = assertThrows(
    () => targetOf(undefined, { DATABASE_URL: "mysql://ann:secret@db/x" }),
    PgsluiceError,
    "DATABASE_URL is not a usable database URL",
  );
  assertEquals(error.message.includes("secret"), false);
});

Deno.test("a target is described without its password", () => {
  const target = targetOf("postgresql://ann:secret@db/shop");
  assertEquals(describeTarget(target), "postgresql://ann@db/shop");
  assertEquals(serverPassword(target), "secret");
});

Deno.test("another database of the same server keeps the rest of the URL", () => {
  const target = withDatabase(targetOf("postgresql://ann:secret@db:6000/shop"), "postgres");
  assertEquals(target, { kind: "server", url: "postgresql://ann:secret@db:6000/postgres" });
  assertEquals(targetDatabase(target), "postgres");
  assertEquals(targetDatabase(withDatabase(EMBEDDED, "other")), "other");
});

/** A folder of credentials, as systemd makes it. */
async function withCredentials(
  files: Readonly<Record<string, string>>,
  use: (directory: string) => void,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(directory, name), text);
    }
    use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a credential is the password where none is given otherwise", async () => {
  await withCredentials({ "database-password": "s:e c@t\n" }, (CREDENTIALS_DIRECTORY) => {
    const passwordOf = (flag: string, variables: Record<string, string> = {}) =>
      serverPassword(targetOf(flag, { CREDENTIALS_DIRECTORY, ...variables }));
    assertEquals(passwordOf("postgresql://ann@db/shop"), "s:e c@t");
    assertEquals(passwordOf("postgresql://ann:other@db/shop"), "other");
    assertEquals(passwordOf("postgresql://ann@db/shop", { PGPASSWORD: "third" }), "third");
    assertEquals(targetOf(undefined, { CREDENTIALS_DIRECTORY }), EMBEDDED);
  });
});

Deno.test("a credential is the URL where neither --database nor DATABASE_URL is given", async () => {
  const files = { "database-url": "postgresql://ann@db/shop\n", "database-password": "secret" };
  await withCredentials(files, (CREDENTIALS_DIRECTORY) => {
    const urlOf = (flag: string | undefined, variables: Record<string, string>) => {
      const target = targetOf(flag, { CREDENTIALS_DIRECTORY, ...variables });
      return target.kind === "server" ? target.url : null;
    };
    assertEquals(urlOf(undefined, {}), "postgresql://ann:secret@db/shop");
    assertEquals(urlOf(undefined, { PGHOST: "other" }), "postgresql://ann:secret@db/shop");
    assertEquals(urlOf("postgresql://a/x", {}), "postgresql://:secret@a/x");
    assertEquals(urlOf(undefined, { DATABASE_URL: "postgresql://:p@b/y" }), "postgresql://:p@b/y");
  });
  await withCredentials({ "database-url": "nonsense secret" }, (CREDENTIALS_DIRECTORY) => {
    const error = assertThrows(
      () => targetOf(undefined, { CREDENTIALS_DIRECTORY }),
      PgsluiceError,
      "the credential database-url is not a usable database URL",
    );
    assertEquals((error.message + error.hint).includes("secret"), false);
  });
});

Deno.test("a credential that cannot be read is an error, not a missing password", async () => {
  const directory = await Deno.makeTempDir();
  await Deno.mkdir(join(directory, "database-password"));
  const error = assertThrows(
    () => targetOf("postgresql://ann@db/shop", { CREDENTIALS_DIRECTORY: directory }),
    PgsluiceError,
    "cannot read the credential",
  );
  assertEquals(error.code, "credential");
  await Deno.remove(directory, { recursive: true });
});
