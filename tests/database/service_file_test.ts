import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { type DatabaseTarget, databaseTarget } from "../../src/database/database_target.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";

const FILE = [
  "# services of the shop",
  "",
  "[test]",
  "host=test.example",
  "",
  "  [prod]",
  "host=db.example",
  "  port=6000",
  "dbname=shop",
  "user=ann",
  "password=s:e=c@t %41",
  "sslmode=require",
  "[prod]",
  "host=never.example",
  "",
].join("\n");

/** A home with a service file, and one of the system beside it. */
async function withFiles(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function targetOf(flag: string | undefined, variables: Record<string, string>): DatabaseTarget {
  return databaseTarget({
    databaseFlag: flag,
    environment: (name) => variables[name],
    postgresDirectory: "/home/ann/data/postgres",
  });
}

const PROD = "postgresql://ann:s%3Ae%3Dc%40t%20%2541@db.example:6000/shop?sslmode=require";

Deno.test("a service is named by PGSERVICE or the URL, and found at home", async () => {
  await withFiles({ ".pg_service.conf": FILE }, (HOME) => {
    assertEquals(targetOf(undefined, { HOME, PGSERVICE: "prod" }), { kind: "server", url: PROD });
    assertEquals(targetOf("postgresql://?service=prod", { HOME, PGSERVICE: "test" }), {
      kind: "server",
      url: PROD,
    });
  });
});

Deno.test("a URL goes before its service, and the service before PG*", async () => {
  await withFiles({ ".pg_service.conf": FILE }, (HOME) => {
    const variables = { HOME, PGHOST: "other", PGUSER: "bob", PGOPTIONS: "-c jit=off" };
    assertEquals(targetOf("postgresql://eve@/?service=test", variables), {
      kind: "server",
      url: "postgresql://eve@test.example/spark_db?options=-c%20jit%3Doff",
    });
    assertEquals(targetOf("postgresql://?service=test", variables), {
      kind: "server",
      url: "postgresql://bob@test.example/spark_db?options=-c%20jit%3Doff",
    });
  });
});

Deno.test("a service is looked for in PGSERVICEFILE, else at home, then in the system's file", async () => {
  const files = {
    ".pg_service.conf": "[a]\nhost=home\n",
    "named.conf": "[a]\nhost=named\n",
    "pg_service.conf": "[a]\nhost=system\n[b]\nhost=system\n",
  };
  await withFiles(files, (folder) => {
    const hostOf = (service: string, variables: Record<string, string>) => {
      const target = targetOf(`postgresql://?service=${service}`, variables);
      return target.kind === "server" ? /\/\/(.*)\//.exec(target.url)?.[1] : null;
    };
    const everything = {
      HOME: folder,
      PGSERVICEFILE: join(folder, "named.conf"),
      PGSYSCONFDIR: folder,
    };
    assertEquals(hostOf("a", everything), "named");
    assertEquals(hostOf("b", everything), "system");
    assertEquals(hostOf("a", { HOME: folder, PGSYSCONFDIR: folder }), "home");
    assertEquals(hostOf("a", { HOME: "/no/such/home", PGSYSCONFDIR: folder }), "system");
  });
});

const REFUSED: readonly { title: string; text: string; code: string; message: string }[] = [
  {
    title: "that is in no file",
    text: "[test]\nhost=secret\n",
    code: "database-service",
    message: 'service "prod" is not defined in',
  },
  {
    title: "with a line without a value",
    text: "[prod]\nhost=db\nsecret\n",
    code: "database-service",
    message: "line 3 is not NAME=VALUE",
  },
  {
    title: "that names a service",
    text: "[prod]\nservice=other\n",
    code: "database-service",
    message: "line 2 is not NAME=VALUE",
  },
  {
    title: "with a setting that nobody knows",
    text: "[prod]\npasword=secret\n",
    code: "database-url",
    message: 'its parameter "pasword" is not known',
  },
  {
    title: "with a port that is none",
    text: "[prod]\nport=secret\n",
    code: "database-url",
    message: "service prod in",
  },
];

for (const { title, text, code, message } of REFUSED) {
  Deno.test(`a service ${title} is an error that says where`, async () => {
    await withFiles({ ".pg_service.conf": text }, (HOME) => {
      const error = assertThrows(
        () => targetOf("postgresql://?service=prod", { HOME }),
        PgsluiceError,
      );
      assertEquals([error.code, error.exitCode], [code, 2]);
      assertStringIncludes(error.message, message);
      assertStringIncludes(error.message, HOME);
      assertEquals((error.message + error.hint).includes("secret"), false);
    });
  });
}

Deno.test("a service file that is named and not there is an error", () => {
  const error = assertThrows(
    () => targetOf(undefined, { PGSERVICE: "prod", PGSERVICEFILE: "/no/such/file" }),
    PgsluiceError,
    "cannot read the service file /no/such/file",
  );
  assertEquals(error.code, "database-service");
});
