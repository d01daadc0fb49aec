import type { DatabaseClient } from "../../src/database/connect.ts";
import { copyOut } from "../../src/database/copy_out.ts";
import { ExportBuffer } from "../../src/query/export_buffer.ts";
import { csvFormat } from "../../src/query/export_csv.ts";
import { ndjsonFormat } from "../../src/query/export_ndjson.ts";
import { ExportRows } from "../../src/query/export_rows.ts";
import type { SourceColumn } from "../../src/schema/schema.ts";

export type ColumnTypes = Readonly<Record<string, SourceColumn["type"]>>;

/** What an export makes of the rows of a query, without the CSV's header. */
export async function exportText(
  client: DatabaseClient,
  { select, columns, format }: { select: string; columns: ColumnTypes; format: "csv" | "ndjson" },
): Promise<string> {
  const names = Object.keys(columns);
  const rows = new ExportRows(
    names.map((name) => ({ name, type: columns[name] }) as SourceColumn),
    (format === "csv" ? csvFormat : ndjsonFormat)(names),
  );
  const buffer = new ExportBuffer();
  await client.sql.begin((sql) =>
    copyOut(sql, {
      client,
      statement: `copy (${select}) to stdout (format binary)`,
      onRow: (bytes, at, end) => rows.put(buffer, bytes, at, end),
      untilRoom: () => null,
      signal: new AbortController().signal,
    })
  );
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    .decode(buffer.bytes.subarray(0, buffer.length));
}

/** What the server itself writes of a query, bytes as they are. */
export async function serverText(client: DatabaseClient, statement: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  await client.sql.begin((sql) =>
    copyOut(sql, {
      client,
      statement,
      onRow: (bytes, at, end) => pieces.push(bytes.slice(at, end)),
      untilRoom: () => null,
      signal: new AbortController().signal,
    })
  );
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    .decode(await new Blob(pieces as BlobPart[]).bytes());
}
