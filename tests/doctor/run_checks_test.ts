import { assertEquals, assertMatch } from "@std/assert";
import { type Check, ok, problem, Skip, together, warning, worst } from "../../src/doctor/check.ts";
import { CHECKS } from "../../src/doctor/checks.ts";
import { databaseCheck } from "../../src/doctor/database_check.ts";
import { openGround } from "../../src/doctor/open_ground.ts";
import { reachDatabase } from "../../src/doctor/reach_database.ts";
import { runChecks } from "../../src/doctor/run_checks.ts";
import { thisMachine } from "../../src/doctor/machine.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { line, NO_SERVER } from "./doctor_place.ts";

const GROUND = openGround({
  folder: null,
  target: NO_SERVER,
  schema: USER_EVENTS,
  table: USER_EVENTS.table,
  pipeline: "default",
  timeZone: "UTC",
  connections: 4,
  checkpointsDirectory: "/nowhere",
  machine: thisMachine,
  say: () => {},
});

function check(name: string, look: Check["look"]): Check {
  return { name, look };
}

Deno.test("a check that hangs is a problem after the time limit, and the others go on", async () => {
  const results = await runChecks(
    [
      check("hangs", () => new Promise(() => {})),
      check("fine", () => Promise.resolve(ok("all is well"))),
    ],
    GROUND,
    { limitMs: 20 },
  );
  assertEquals(results.map(({ name, status }) => [name, status]), [
    ["hangs", "problem"],
    ["fine", "ok"],
  ]);
  assertMatch(line(results[0]!), /^problem no answer within 0\.02 s → /);
});

Deno.test("a file system that is stuck holds up neither the other checks nor the end", async () => {
  const names = ["folder", "folder-watch", "folder-names", "time-zone", "checkpoints"];
  const stuck = openGround({
    ...GROUND,
    folder: { path: Deno.cwd(), isDefault: false, recursive: false, after: "keep" },
    machine: { ...thisMachine, space: () => new Promise(() => {}) },
    say: () => {},
  });
  const checks = CHECKS.filter(({ name }) => names.includes(name));
  const results = await runChecks(checks, stuck, { limitMs: 200 });
  assertEquals(results.map(({ name, status }) => `${name} ${status}`), [
    "folder problem",
    "folder-watch problem",
    "folder-names problem",
    "time-zone ok",
    "checkpoints problem",
  ]);
  assertMatch(line(results[0]!), /^problem no answer within/);
});

Deno.test("a check that cannot be made says why, and the others go on", async () => {
  const results = await runChecks([
    check("denied", () => Promise.reject(new Deno.errors.PermissionDenied("x (os error 13)"))),
    check("refused", () => Promise.reject(new PgsluiceError("a", "no such thing", { hint: "b" }))),
    check("skipped", () => Promise.reject(new Skip("the database is not reached"))),
    { ...check("elsewhere", () => Promise.resolve(ok(""))), applies: () => false },
  ], GROUND);
  assertEquals(results.map(line), [
    "warning could not be looked at: permission denied → mend that, then run `pgsluice doctor` again",
    "warning could not be looked at: no such thing → b",
    "skipped the database is not reached",
  ]);
});

Deno.test("of several findings the gravest counts, and what is ok is left out beside it", () => {
  assertEquals(together([ok("a"), ok("b")]), ok("a; b"));
  assertEquals(
    together([ok("a"), warning("b", "c"), problem("d", "e"), problem("f", "e")]),
    problem("b; d; f", "c; e"),
  );
  assertEquals(worst([ok(""), { status: "skipped" }, warning("", "")]), "warning");
  assertEquals(worst([]), "ok");
});

Deno.test("a server that takes connections and never answers is given up in time", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const isGivenUp = Promise.withResolvers<void>();
  const taking = (async () => {
    for await (const connection of listener) isGivenUp.promise.then(() => connection.close());
  })();
  try {
    const url = `postgresql://a:secret@127.0.0.1:${listener.addr.port}/b`;
    const reach = await reachDatabase({ kind: "server", url }, { say: () => {}, limitMs: 50 });
    if (reach.kind !== "none") throw new Error(`it is ${reach.kind}`);
    assertMatch(String(reach.error), /no answer within 0\.05 s/);
    assertEquals((reach.error as PgsluiceError).code, "database-unreachable");
    // what was given up is refused now, and ends
    isGivenUp.resolve();
    await reach.ending;
  } finally {
    listener.close();
    await taking;
  }
});

Deno.test("a server that is not there is a problem at once, and what needs it is skipped", async () => {
  const needsDatabase = CHECKS.filter(({ name }) =>
    ["writable", "durability", "clock", "ledger", "grants", "table", "journal"].includes(name)
  );
  const [database, ...others] = await runChecks([databaseCheck, ...needsDatabase], GROUND);
  assertMatch(line(database!), /^problem .* nothing listens there .* → check that the server runs/);
  assertEquals(new Set(others.map(line)), new Set(["skipped the database is not reached"]));
  assertEquals(others.length, 7);
});

Deno.test("the names of the checks are told apart", () => {
  assertEquals(new Set(CHECKS.map(({ name }) => name)).size, CHECKS.length);
});
