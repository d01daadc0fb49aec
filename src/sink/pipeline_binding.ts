import type { Sql } from "../database/connect.ts";
import { PgsluiceError } from "../pgsluice_error.ts";

/** What a pipeline is bound to from its first use on: where its bytes come from, go, and mean. */
export interface PipelineBinding {
  readonly name: string;
  readonly sourceKind: "folder" | "stdin";
  /** Id of the machine the folder is on. */
  readonly sourceHost: string;
  /** Real, absolute path of the folder; `-` for streams. */
  readonly sourcePath: string;
  /** Quoted where needed. */
  readonly targetTable: string;
  readonly keyColumn: string;
  readonly timeZone: string;
  readonly schemaFingerprint: string;
  readonly dialect: string;
  readonly maxRecordBytes: number;
}

export interface BoundPipeline {
  readonly pipelineId: number;
  /** Random; tells this database's pipeline from another database's one of the same name. */
  readonly identity: string;
}

/** The pipeline of this name, or null if this database has none. */
export async function findPipeline(sql: Sql, name: string): Promise<BoundPipeline | null> {
  const [row] = await sql<{ pipelineId: number; identity: string }[]>`
    select pipeline_id::float8 as "pipelineId", identity::text
    from pgsluice.pipelines
    where name = ${name}`;
  return row ?? null;
}

/**
 * Binds the pipeline at its first use, and compares ever after.
 * @throws PgsluiceError `pipeline-bound` that names every difference
 */
export async function bindPipeline(sql: Sql, binding: PipelineBinding): Promise<BoundPipeline> {
  await sql`
    insert into pgsluice.pipelines (
      name, source_kind, source_host, source_path, target_table, key_column,
      time_zone, schema_fingerprint, dialect, max_record_bytes
    ) values (
      ${binding.name}, ${binding.sourceKind}, ${binding.sourceHost}, ${binding.sourcePath},
      ${binding.targetTable}, ${binding.keyColumn}, ${binding.timeZone},
      ${binding.schemaFingerprint}, ${binding.dialect}, ${binding.maxRecordBytes}
    )
    on conflict (name) do nothing`;
  const [row] = await sql<(PipelineBinding & BoundPipeline)[]>`
    select
      pipeline_id::float8 as "pipelineId",
      identity::text,
      name,
      source_kind as "sourceKind",
      source_host as "sourceHost",
      source_path as "sourcePath",
      target_table as "targetTable",
      key_column as "keyColumn",
      time_zone as "timeZone",
      schema_fingerprint as "schemaFingerprint",
      dialect,
      max_record_bytes as "maxRecordBytes"
    from pgsluice.pipelines
    where name = ${binding.name}`;
  if (row === undefined) throw new Error(`pipeline ${binding.name} vanished while it was bound`);
  const differences = BOUND_FACTS
    .filter(({ field }) => row[field] !== binding[field])
    .map(({ field, noun }) => `${noun} ${row[field]}, not ${binding[field]}`);
  if (differences.length > 0) {
    throw new PgsluiceError(
      "pipeline-bound",
      `pipeline ${binding.name} is bound to ${differences.join("; ")}`,
      {
        hint: "go on with what it is bound to, or give the new source a pipeline of its own " +
          "with --pipeline NAME",
      },
    );
  }
  return { pipelineId: row.pipelineId, identity: row.identity };
}

const BOUND_FACTS: readonly { field: keyof PipelineBinding; noun: string }[] = [
  { field: "sourceKind", noun: "a source of kind" },
  { field: "sourceHost", noun: "the host" },
  { field: "sourcePath", noun: "the source" },
  { field: "targetTable", noun: "the table" },
  { field: "keyColumn", noun: "the key" },
  { field: "timeZone", noun: "the time zone" },
  { field: "schemaFingerprint", noun: "the schema with fingerprint" },
  { field: "dialect", noun: "the dialect" },
  { field: "maxRecordBytes", noun: "a record limit in bytes of" },
];
