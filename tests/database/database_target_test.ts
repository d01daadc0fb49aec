import { assertEquals, assertThrows } from "@std/assert";
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
