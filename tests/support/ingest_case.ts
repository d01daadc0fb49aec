import { type IngestPlace, withPlace } from "./ingest_fixture.ts";
import { testDatabase } from "./test_database.ts";

/** A test with a database and a folder of its own. */
export function ingestCase(
  name: string,
  run: (place: IngestPlace) => Promise<void>,
  options: { ignore?: boolean } = {},
): void {
  Deno.test({
    name,
    ignore: options.ignore ?? false,
    fn: async () => await withPlace(await testDatabase(), run),
  });
}
