import type { TransactionSql } from "postgres";
import { tableName } from "../database/quote_identifier.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { Schema } from "../schema/schema.ts";
import { schemaFingerprint } from "../schema/schema_fingerprint.ts";

export interface VerifiedPipeline {
  readonly pipelineId: number;
  readonly name: string;
  readonly sourceKind: "folder" | "stdin";
  readonly sourceHost: string;
  readonly sourcePath: string;
  /** Quoted where needed. */
  readonly targetTable: string;
  readonly schemaFingerprint: string;
}

/**
 * @param options.table as `--table` names it, if it is to be that one
 * @throws PgsluiceError `no-ledger`, `no-such-pipeline`, `other-table` or `other-schema`
 */
export async function findVerifiedPipeline(
  sql: TransactionSql,
  { name, schema, table }: { name: string; schema: Schema; table: string | undefined },
): Promise<VerifiedPipeline> {
  const [ledger] = await sql<{ exists: boolean }[]>`
    select to_regclass('pgsluice.files') is not null as exists`;
  if (!ledger?.exists) {
    throw new PgsluiceError("no-ledger", "this database has no ledger of pgsluice", {
      hint: "load something with `pgsluice ingest`, or name another database with --database",
    });
  }
  const pipelines = await sql<VerifiedPipeline[]>`
    select
      pipeline_id::float8 as "pipelineId",
      name,
      source_kind as "sourceKind",
      source_host as "sourceHost",
      source_path as "sourcePath",
      target_table as "targetTable",
      schema_fingerprint as "schemaFingerprint"
    from pgsluice.pipelines
    order by name`;
  const pipeline = pipelines.find((candidate) => candidate.name === name);
  if (pipeline === undefined) {
    const names = pipelines.map((candidate) => candidate.name);
    throw new PgsluiceError("no-such-pipeline", `this database has no pipeline ${name}`, {
      hint: names.length === 0
        ? "it has none at all: load something with `pgsluice ingest`"
        : `name one of these with --pipeline: ${names.join(", ")}`,
    });
  }
  if (table !== undefined && tableName(table).quoted !== pipeline.targetTable) {
    throw new PgsluiceError(
      "other-table",
      `pipeline ${name} loads into ${pipeline.targetTable}, not into ${table}`,
      { hint: "leave --table out, or name the pipeline that loads into it with --pipeline" },
    );
  }
  if (pipeline.schemaFingerprint !== schemaFingerprint(schema)) {
    throw new PgsluiceError(
      "other-schema",
      `pipeline ${name} was loaded by another schema (${pipeline.schemaFingerprint}) than this ` +
        `pgsluice has (${schemaFingerprint(schema)})`,
      { hint: "verify it with the pgsluice that loaded it" },
    );
  }
  return pipeline;
}
