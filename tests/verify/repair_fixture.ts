/** A place where rejects were mended and discarded, by the commands' own code. */
import { connect, type Sql } from "../../src/database/connect.ts";
import { discardRejects } from "../../src/rejects/discard_rejects.ts";
import { retryRejects } from "../../src/rejects/retry_rejects.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { findNamedPipeline, type NamedPipeline } from "../../src/sink/named_pipeline.ts";
import {
  csvText,
  eventLine,
  ingestOnce,
  type IngestPlace,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { ingestAllKinds } from "./verify_fixture.ts";

/** Removes the first column, the key. */
export function withoutKey(text: string): string {
  return text.replaceAll(/^[^,]*,/gm, "");
}

export async function defaultPipeline(sql: Sql): Promise<NamedPipeline> {
  return await findNamedPipeline(sql, { name: "default", schema: USER_EVENTS, table: undefined });
}

/** Retries the rejects on these lines, as in `{ "a.csv:7": "mended record" }`. */
async function mendRejects(
  place: IngestPlace,
  mended: Readonly<Record<string, string>>,
): Promise<void> {
  const client = await connect(place.database.target, { applicationName: "test mend" });
  try {
    const rejects = await client.sql<{ rejectId: number; name: string }[]>`
      select reject_id::float8 as "rejectId", path || ':' || line_number as name
      from pgsluice.rejects
      join pgsluice.files using (file_id)
      where path || ':' || line_number = any(${Object.keys(mended)}::text[])`;
    const report = await retryRejects(client.sql, {
      pipeline: await defaultPipeline(client.sql),
      schema: USER_EVENTS,
      mended: async function* () {
        for (const { rejectId, name } of rejects) {
          yield { rejectId, raw: new TextEncoder().encode(mended[name]) };
        }
      }(),
    });
    if (report.loaded + report.duplicate !== Object.keys(mended).length) {
      throw new Error(JSON.stringify(report));
    }
  } finally {
    await client.close();
  }
}

/** Discards the reject that starts on the line. */
export async function discardReject(place: IngestPlace, lineNumber: number): Promise<void> {
  const { sql } = place.database;
  const rows = await sql<{ rejectId: number }[]>`
    select reject_id::float8 as "rejectId" from pgsluice.rejects where line_number = ${lineNumber}`;
  await discardRejects(sql, await defaultPipeline(sql), {
    ids: rows.map(({ rejectId }) => rejectId),
  });
}

/**
 * As `ingestAllKinds`, and a file without keys. Of a.csv line 7 is mended to a row, line 11 to a
 * duplicate of line 2, line 8 is discarded; of c.csv line 3 is mended to a row.
 */
export async function ingestAndRepair(place: IngestPlace): Promise<void> {
  const keyless = csvText([eventLine(7), eventLine(8, { price: "-1" }), eventLine(9)]);
  await writeEvents(place, "c.csv", withoutKey(keyless));
  await ingestAllKinds(place);
  await ingestOnce(place);
  await mendRejects(place, {
    "a.csv:7": eventLine(2),
    "a.csv:11": eventLine(0),
    "c.csv:3": withoutKey(eventLine(8, { price: "3" })),
  });
  await discardReject(place, 8);
}
