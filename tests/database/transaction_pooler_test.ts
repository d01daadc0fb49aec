import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "../../src/database/connect.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { testDatabase } from "../support/test_database.ts";
import { TinyPooler } from "./tiny_pooler.ts";

Deno.test("a pooler that lends backends for a transaction is refused", async () => {
  await using database = await testDatabase();
  await using pooler = new TinyPooler(database.url, "transaction");
  const error = await assertRejects(
    () => connect({ kind: "server", url: pooler.url }, { applicationName: "pooler test" }),
    PgsluiceError,
  );
  assertEquals(error.code, "database-pooler");
  assertStringIncludes(error.message, "transaction mode");
  assertStringIncludes(error.hint, "session mode");
});

Deno.test("a pooler that lends backends for a session will do", async () => {
  await using database = await testDatabase();
  await using pooler = new TinyPooler(database.url, "session");
  const client = await connect({ kind: "server", url: pooler.url }, {
    applicationName: "pooler test",
  });
  assertEquals((await client.sql`select 1 as one`)[0], { one: 1 });
  await client.close();
});
