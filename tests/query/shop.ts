/** A shop in Berlin with few enough events to work answers out by hand. */
import { findReportPipeline, type ReportPipeline } from "../../src/query/find_report_pipeline.ts";
import type { ReportResult, ReportValue } from "../../src/query/report.ts";
import { REPORTS } from "../../src/query/reports.ts";
import { type ReportRequest, runReport } from "../../src/query/run_report.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { csvText, ingestOnce, type IngestPlace, writeEvents } from "../support/ingest_fixture.ts";

export type Ask = (
  name: string,
  request?: Partial<ReportRequest>,
) => Promise<ReportResult>;

export interface Shop {
  readonly place: IngestPlace;
  readonly pipeline: ReportPipeline;
  /** A report on the shop's pipeline. */
  readonly ask: Ask;
}

/** `time` in UTC without the zone. */
export function shopLine(
  key: number,
  { time, type = "view", user, product, quantity = "", price = PRODUCTS[product]!.price }: {
    time: string;
    type?: string;
    user: number;
    product: number;
    quantity?: number | "";
    price?: string;
  },
): string {
  const { name, category } = PRODUCTS[product]!;
  const id = `00000000-0000-7000-8000-${String(key).padStart(12, "0")}`;
  return [id, `${time}Z`, type, user, product, name, category, price, quantity].join(",");
}

const PRODUCTS: Readonly<Record<number, { name: string; category: string; price: string }>> = {
  1: { name: "Lamp", category: "Home", price: "10.00" },
  2: { name: "Rug", category: "Home", price: "25.50" },
  3: { name: "Pen", category: "Office", price: "1.99" },
  // optional columns
  4: { name: "", category: "", price: "5.00" },
};

/**
 * On 2024-03-31 clocks in Berlin go from 02:00 (01:00 UTC) to 03:00. Local times are those behind
 * the lines.
 */
export const FILE_A = [
  shopLine(1, { time: "2024-03-30T22:59:00", user: 2, product: 1 }), // 30th 23:59
  shopLine(2, { time: "2024-03-31T00:10:00", user: 1, product: 1 }), // 31st 01:10
  shopLine(3, { time: "2024-03-31T00:20:00", user: 2, product: 1 }), // 01:20
  shopLine(4, { time: "2024-03-31T00:50:00", user: 1, product: 2 }), // 01:50
  shopLine(5, { time: "2024-03-31T01:05:00", type: "purchase", user: 1, product: 1, quantity: 2 }), // 03:05, 20.00
  shopLine(6, { time: "2024-03-31T01:30:30", user: 3, product: 3 }), // 03:30
  // 20 s behind the line above: not late; bought before it was viewed
  shopLine(7, { time: "2024-03-31T01:30:10", type: "purchase", user: 3, product: 3, quantity: 10 }), // 03:30, 19.90
  // 20 min 30 s behind line 7: late
  shopLine(8, { time: "2024-03-31T01:10:00", user: 2, product: 2 }), // 03:10
  shopLine(9, { time: "2024-03-31T02:00:00", user: 1, product: 1, price: "abc" }), // bad_number
  shopLine(10, { time: "2024-03-31T03:00:00", type: "purchase", user: 2, product: 1, quantity: 1 }), // 05:00, 10.00
];

export const FILE_B = [
  shopLine(11, { time: "2024-03-31T03:15:00", user: 4, product: 4 }), // 05:15
  FILE_A[1]!, // a duplicate
  shopLine(12, { time: "2024-03-31T03:20:00", type: "purchase", user: 1, product: 2 }), // 05:20, 25.50
  "\u00e9\u001b,too short", // short_record
  shopLine(13, { time: "2024-03-31T04:00:00", user: 1, product: 1, price: "-x" }), // bad_number
  shopLine(14, { time: "2024-03-31T22:30:00", user: 1, product: 1 }), // April 1st 00:30
  shopLine(15, { time: "2024-03-31T22:31:20", type: "purchase", user: 5, product: 1, quantity: 3 }), // 00:31, 30.00
];

/** A test with the two files loaded, one after the other. */
export function shopCase(
  name: string,
  run: (shop: Shop) => Promise<void>,
  options: { ignore?: boolean } = {},
): void {
  ingestCase(name, async (place) => {
    await writeEvents(place, "a.csv", csvText(FILE_A));
    await ingestOnce(place, { timeZone: "Europe/Berlin" });
    await writeEvents(place, "b.csv", csvText(FILE_B));
    await ingestOnce(place, { timeZone: "Europe/Berlin" });
    await run(await openShop(place));
  }, options);
}

/** What was ingested into the place so far. */
export async function openShop(place: IngestPlace): Promise<Shop> {
  const { sql } = place.database;
  const pipeline = await findReportPipeline(sql, "default");
  const ask: Ask = async (name, request = {}) =>
    await runReport(sql, { pipeline, report: REPORTS.get(name)!, ...request });
  return { place, pipeline, ask };
}

/** The answer's columns of these names. */
export function pick(
  { columns, rows }: ReportResult,
  ...names: readonly string[]
): ReportValue[][] {
  const places = names.map((name) => {
    const place = columns.findIndex((column) => column.name === name);
    if (place < 0) throw new TypeError(`there is no column ${name}`);
    return place;
  });
  return rows.map((row) => places.map((place) => row[place]!));
}

export function isoWindow({ window }: ReportResult): (string | null)[] {
  return [window.sinceMs, window.untilMs].map((ms) =>
    ms === null ? null : new Date(ms).toISOString().replace(":00.000Z", "Z")
  );
}

/** ms since 1970 of a time in UTC. */
export function utc(time: string): number {
  return Date.parse(`${time}Z`);
}
