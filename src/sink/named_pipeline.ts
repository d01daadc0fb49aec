import { isAbsolute, relative, resolve } from "@std/path";
import type { ISql } from "postgres";
import { MIGRATIONS } from "../database/migrate.ts";
import { tableName } from "../database/quote_identifier.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { Schema } from "../schema/schema.ts";
import { schemaFingerprint } from "../schema/schema_fingerprint.ts";

/** A pipeline as a command finds it in the ledger by its name. */
export interface NamedPipeline {
  readonly pipelineId: number;
  readonly name: string;
  readonly sourceKind: "folder" | "stdin";
  readonly sourceHost: string;
  readonly sourcePath: string;
  /** Quoted where needed. */
  readonly targetTable: string;
  readonly timeZone: string;
  readonly schemaFingerprint: string;
  readonly dialect: string;
  readonly maxRecordBytes: number;
}

/**
 * @param options.table as `--table` names it, if it is to be that one
 * @throws PgsluiceError `no-ledger`, `ledger-older`, `no-such-pipeline`, `other-table` or
 * `other-schema`
 */
export async function findNamedPipeline(
  sql: ISql,
  { name, schema, table }: { name: string; schema: Schema; table: string | undefined },
): Promise<NamedPipeline> {
  await requireLedger(sql);
  const pipelines = await sql<NamedPipeline[]>`
    select
      pipeline_id::float8 as "pipelineId",
      name,
      source_kind as "sourceKind",
      source_host as "sourceHost",
      source_path as "sourcePath",
      target_table as "targetTable",
      time_zone as "timeZone",
      schema_fingerprint as "schemaFingerprint",
      dialect,
      max_record_bytes as "maxRecordBytes"
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
      { hint: "use the pgsluice that loaded it" },
    );
  }
  return pipeline;
}

/** @throws PgsluiceError `no-ledger` or `ledger-older` */
async function requireLedger(sql: ISql): Promise<void> {
  const [ledger] = await sql<{ exists: boolean }[]>`
    select to_regclass('pgsluice.migrations') is not null as exists`;
  if (!ledger?.exists) {
    throw new PgsluiceError("no-ledger", "this database has no ledger of pgsluice", {
      hint: "load something with `pgsluice ingest`, or name another database with --database",
    });
  }
  const [newest] = await sql<{ number: number | null }[]>`
    select max(number) as number from pgsluice.migrations`;
  if ((newest?.number ?? 0) >= MIGRATIONS.length) return;
  throw new PgsluiceError("ledger-older", "the ledger in this database is of an older pgsluice", {
    hint: "`pgsluice setup` brings it up to date",
  });
}

/** @param file named relative to the source, to the working folder, or absolutely */
export function pathInSource(file: string, { sourceKind, sourcePath }: NamedPipeline): string {
  if (sourceKind === "stdin") return file;
  const fromSource = relative(sourcePath, resolve(file));
  return isAbsolute(file) || !/^\.\.(?:\/|$)/.test(fromSource) ? fromSource : file;
}

/** @param path relative to the source */
export function noSuchFile(path: string, pipeline: NamedPipeline): PgsluiceError {
  return new PgsluiceError("no-such-file", `pipeline ${pipeline.name} has no file ${path}`, {
    hint: `name files as in ${pipeline.sourcePath}; \`pgsluice files list\` lists them`,
    exitCode: EXIT.usage,
  });
}
