import { assert, assertEquals, assertGreater } from "@std/assert";
import { ingest } from "../../src/pipeline/ingest.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import {
  csvText,
  eventLine,
  eventLines,
  Heard,
  ingestOnce,
  ingestOptions,
  type IngestPlace,
  verifyExact,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";

function refusalTest(name: string, run: (place: IngestPlace) => Promise<void>): void {
  Deno.test(name, async () => await withPlace(await testDatabase({ setUp: true }), run));
}

async function rejects(place: IngestPlace) {
  const rows = await place.database.sql<
    { line: number; code: string; columnName: string | null; reason: string }[]
  >`
    select line_number::int as line, code, column_name as "columnName", reason
    from pgsluice.rejects
    order by file_id, line_number`;
  return rows.map((row) => ({ ...row }));
}

refusalTest(
  "a row that a check of the user's refuses is set aside, and the others load",
  async (place) => {
    await place.database.sql`
    alter table user_events add constraint no_bargains check (price >= 1)`;
    const lines = eventLines(0, 20);
    lines[7] = eventLine(7, { price: "0.50" });
    lines[19] = eventLine(19, { price: "0.99" });
    await writeEvents(place, "a.csv", csvText(lines));
    const heard = await ingestOnce(place);
    assertEquals([heard.loaded, heard.rejected], [18, 2]);
    assertEquals(
      (await rejects(place)).map(({ line, code }) => [line, code]),
      [[9, "23514"], [21, "23514"]],
    );
    const [first] = await rejects(place);
    assert(first!.reason.includes("no_bargains"), first!.reason);
    await verifyExact(place);
  },
);

refusalTest("2,000 refused of 20,000 are isolated in a bounded number of steps", async (place) => {
  const { sql } = place.database;
  await sql`create sequence steps`;
  await sql`
    create function count_step() returns trigger language plpgsql as $$
    begin
      perform nextval('steps');
      return null;
    end $$`;
  // a sequence keeps what rolled back steps counted
  await sql`
    create trigger count_steps before insert on user_events
    for each statement execute function count_step()`;
  await sql`alter table user_events add constraint no_tens check (user_id % 10 <> 0)`;
  await writeEvents(place, "a.csv", csvText(eventLines(0, 20_000)));
  const heard = await ingestOnce(place, {
    limits: { rows: 20_000, sizeBytes: 1e9, lingerMs: 20 },
  });
  assertEquals([heard.loaded, heard.rejected], [18_000, 2_000]);
  const [row] = await sql<{ steps: number }[]>`select last_value::int as steps from steps`;
  // refused r of n: 2 r (log2(n / r) + 2), the copy and the first insert
  const bound = 2 * 2_000 * (Math.log2(20_000 / 2_000) + 2) + 2;
  assertGreater(row!.steps, 4_000);
  assertGreater(bound, row!.steps);
  await verifyExact(place);
});

refusalTest(
  "what a trigger raises, what another unique index refuses, and a foreign key, are rejects with their SQLSTATE",
  async (place) => {
    const { sql } = place.database;
    await sql`create unique index one_a_user on user_events (user_id)`;
    await sql`create table products (product_id bigint primary key)`;
    await sql`insert into products select generate_series(1, 50)`;
    await sql`
    alter table user_events add foreign key (product_id) references products
    deferrable initially deferred`;
    await sql`
    create function no_garden() returns trigger language plpgsql as $$
    begin
      if new.category = 'Garden' then raise exception 'the garden is closed'; end if;
      return new;
    end $$`;
    await sql`
    create trigger no_garden before insert on user_events
    for each row execute function no_garden()`;
    const lines = eventLines(0, 6);
    lines[1] = lines[1]!.replace("Home", "Garden");
    lines[3] = lines[3]!.replace(/,4,4,/, ",1,4,"); // user 1 is that of the first line
    lines[5] = lines[5]!.replace(/,6,6,/, ",6,77,");
    await writeEvents(place, "a.csv", csvText(lines));
    const heard = await ingestOnce(place);
    assertEquals([heard.loaded, heard.rejected, heard.duplicate], [3, 3, 0]);
    assertEquals(
      (await rejects(place)).map(({ line, code }) => [line, code]),
      [[3, "P0001"], [5, "23505"], [7, "23503"]],
    );
    await verifyExact(place);
  },
);

refusalTest(
  "a row that a trigger keeps out without an error is a reject, not a loss",
  async (place) => {
    const { sql } = place.database;
    await sql`
    create function swallow() returns trigger language plpgsql as $$
    begin
      if new.quantity = 13 then return null; end if;
      return new;
    end $$`;
    await sql`
    create trigger swallow before insert on user_events for each row execute function swallow()`;
    const lines = eventLines(0, 10);
    lines[4] = lines[4]!.replace(/,1$/, ",13");
    await writeEvents(place, "a.csv", csvText(lines));
    const heard = await ingestOnce(place);
    assertEquals([heard.loaded, heard.rejected], [9, 1]);
    assertEquals((await rejects(place)).map(({ line, code }) => [line, code]), [[
      6,
      "row_skipped",
    ]]);
    await verifyExact(place);
  },
);

refusalTest(
  "of equal keys the first that the table takes is loaded, whatever is refused",
  async (place) => {
    await place.database.sql`
    alter table user_events add constraint no_bargains check (price >= 1)`;
    await writeEvents(
      place,
      "a.csv",
      csvText([
        eventLine(1, { price: "0.10" }),
        eventLine(1, { price: "5.00" }),
        eventLine(1, { price: "5.00" }),
        eventLine(1, { price: "6.00" }),
        eventLine(1, { price: "0.20" }),
      ]),
    );
    const heard = await ingestOnce(place);
    assertEquals([heard.loaded, heard.rejected, heard.duplicate], [1, 3, 1]);
    assertEquals(
      (await rejects(place)).map(({ line, code }) => [line, code]),
      // a check is asked before the key
      [[2, "23514"], [5, "key_conflict"], [6, "23514"]],
    );
    const [row] = await place.database.sql`select line_number::int as line, price from user_events`;
    assertEquals({ ...row }, { line: 3, price: "5.00" });
    await verifyExact(place);
  },
);

refusalTest(
  "what is no fault of a row stops the load with its SQLSTATE, and loses nothing",
  async (place) => {
    const { sql } = place.database;
    await sql`
    create function broken() returns trigger language plpgsql as $$
    begin
      perform * from no_such_table;
      return new;
    end $$`;
    await sql`
    create trigger broken before insert on user_events for each row execute function broken()`;
    await writeEvents(place, "a.csv", csvText(eventLines(0, 3)));
    const error = await ingest(ingestOptions(place), new Heard()).then(
      () => null,
      (error) => error,
    );
    assert(error instanceof PgsluiceError, String(error));
    assert(error.message.includes("42P01"), error.message);
    await sql`drop trigger broken on user_events`;
    assertEquals((await ingestOnce(place)).loaded, 3);
    await verifyExact(place);
  },
);
