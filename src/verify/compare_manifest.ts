import type { Manifest } from "../generate/manifest.ts";
import type { Schema } from "../schema/schema.ts";
import type { Snapshot } from "./snapshot.ts";
import type { ManifestFact } from "./verify_report.ts";

/** Name of the column that the manifest's `priceSum` is over. */
const PRICE_COLUMN = "price";

/** The generator's truth against ledger and table. @returns what differs */
export async function compareManifest(
  manifest: Manifest,
  { totals, schema, snapshot }: {
    totals: { readonly loaded: number; readonly rejected: number; readonly duplicate: number };
    schema: Schema;
    snapshot: Snapshot;
  },
): Promise<ManifestFact[]> {
  const { loaded, rejected, duplicate } = totals;
  const counts: [name: string, expected: number, found: number][] = [
    ["events", manifest.events, loaded + rejected + duplicate],
    ["valid events, loaded", manifest.valid, loaded],
    ["duplicates", manifest.duplicates, duplicate],
    ["rejected", manifest.rejected, rejected],
  ];
  const facts: ManifestFact[] = counts.map(([name, expected, found]) => ({
    name,
    expected: String(expected),
    found: String(found),
  }));
  const price = schema.columns.find((column) => column.name === PRICE_COLUMN);
  if (price?.type === "numeric") {
    facts.push({
      name: "sum of prices",
      expected: manifest.priceSum,
      found: await snapshot.sumOf(price),
    });
  }
  return facts.filter(({ expected, found }) => expected !== found);
}
