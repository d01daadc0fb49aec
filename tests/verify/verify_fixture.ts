/** Verifies in this process, and shows what was found as one line a difference. */
import { assert, assertEquals } from "@std/assert";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { type VerifyOptions, verifyPipeline } from "../../src/verify/verify_pipeline.ts";
import type { VerifyReport } from "../../src/verify/verify_report.ts";
import {
  csvText,
  eventLine,
  HEADER,
  ingestOnce,
  type IngestPlace,
  withPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";

export function verifyTest(name: string, run: (place: IngestPlace) => Promise<void>): void {
  Deno.test(name, async () => await withPlace(await testDatabase(), run));
}

export function verify(
  place: IngestPlace,
  options: Partial<VerifyOptions> = {},
): Promise<VerifyReport> {
  const { sql } = place.database;
  return verifyPipeline({ sql, schema: USER_EVENTS, pipeline: "default", ...options });
}

/** Everything that was found, one line a difference. */
export function differencesOf(report: VerifyReport): string[] {
  return [
    ...report.files.flatMap((file) =>
      file.differences.map(({ lineNumber, column, expected, found }) =>
        `${file.path}:${lineNumber ?? "-"}:${column ?? "-"}: expected ${expected}, found ${found}`
      )
    ),
    ...report.strays.map(({ found }) => `table: ${found}`),
    ...report.sums.map(({ expected, found }) => `sums: expected ${expected}, found ${found}`),
    ...(report.manifest ?? []).map((fact) =>
      `manifest: ${fact.name} expected ${fact.expected}, found ${fact.found}`
    ),
  ];
}

/** All kinds of records, after a byte order mark. */
export const A_TEXT = "\ufeff" + csvText([
  eventLine(0),
  "",
  eventLine(1),
  HEADER,
  eventLine(0), // a duplicate
  eventLine(2, { price: "-1" }), // a reject
  eventLine(1, { price: "99" }), // a key conflict
  eventLine(3).replace("Lamp 3", '"Lamp, ""3""\nof two lines"'),
  eventLine(4).replace("Lamp 4", '"open'), // a reject of one line
  eventLine(5).replace("Lamp 5", '5" lamp').replace("Home", ""),
]);
/** Where the reject on line 7 lies. */
export const REJECT_START = byteLength(
  A_TEXT.slice(0, A_TEXT.indexOf(eventLine(2, { price: "-1" }))),
);
export const REJECT_END = REJECT_START + eventLine(2, { price: "-1" }).length + 1;

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Two files: all kinds of records in the one, and a duplicate of the other's in the second. */
export async function ingestAllKinds(place: IngestPlace): Promise<void> {
  await writeEvents(place, "a.csv", A_TEXT);
  await writeEvents(place, "b.csv", csvText([eventLine(6), eventLine(1)]).replaceAll("\n", "\r\n"));
  await ingestOnce(place);
}

export const A = "file_id = (select file_id from pgsluice.files where path = 'a.csv')";
export const B = "file_id = (select file_id from pgsluice.files where path = 'b.csv')";
export const KEY = (number: number) =>
  `00000000-0000-7000-8000-${String(number).padStart(12, "0")}`;

/** What is done to the database behind pgsluice's back, and the differences that tell of it. */
export interface Tampering {
  readonly name: string;
  readonly sql: string;
  readonly differences: readonly string[];
}

const SAVED_TABLES = [
  "user_events",
  "pgsluice.files",
  "pgsluice.rejects",
  "pgsluice.duplicates",
  "pgsluice.minute_deltas",
];

/** Does each to the database as it is, and expects verify to find just that. */
export async function expectNoticed(
  place: IngestPlace,
  tamperings: readonly Tampering[],
): Promise<void> {
  const { sql } = place.database;
  const saved = (table: string) => `saved.${table.replace("pgsluice.", "")}`;
  await sql.unsafe("create schema saved");
  for (const table of SAVED_TABLES) {
    await sql.unsafe(`create table ${saved(table)} as select * from ${table}`);
  }
  for (const { name, sql: tampering, differences } of tamperings) {
    await sql.unsafe(tampering);
    const report = await verify(place);
    assertEquals(differencesOf(report), differences, name);
    assertEquals(report.isExact, differences.length === 0, name);
    assertEquals(report.differenceCount, differences.length, name);
    for (const table of SAVED_TABLES.toReversed()) await sql.unsafe(`delete from ${table}`);
    for (const table of SAVED_TABLES) {
      await sql.unsafe(
        `insert into ${table} overriding system value select * from ${saved(table)}`,
      );
    }
  }
  assert((await verify(place)).isExact);
}
