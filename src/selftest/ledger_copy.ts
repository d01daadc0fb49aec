/**
 * A simulated failover to a replica that was late: rows and ledger of one pipeline are put back to
 * what they were, in one transaction, with the ingester's sessions ended.
 */
import type { Sql } from "../database/connect.ts";
import { ownerLockKeySql } from "../sink/pipeline_owner.ts";
import { endSessions, type KnownPipeline, pipelineSessions } from "./pipeline_sessions.ts";

/** Of the ledger, in the order in which they may be filled. */
const LEDGER_TABLES = [
  "files",
  "rejects",
  "duplicates",
  "batches",
  "rollups",
  "minutes",
  "minute_deltas",
] as const;
const POLL_MS = 5;

export interface LedgerCopyOptions {
  readonly pipeline: KnownPipeline;
  /** The target, quoted. */
  readonly table: string;
  /** Where the copies are kept, quoted. */
  readonly schema: string;
}

export class LedgerCopy {
  readonly #sql: Sql;
  readonly #options: LedgerCopyOptions;

  /** Copies what is committed now. */
  static async take(sql: Sql, options: LedgerCopyOptions): Promise<LedgerCopy> {
    const { pipeline, table, schema } = options;
    await sql.begin("isolation level repeatable read", async (transaction) => {
      const copy = (name: string, from: string) =>
        transaction.unsafe(`create table ${schema}.copied_${name} as select * from ${from}`);
      await copy("rows", table);
      await copy("pipelines", `pgsluice.pipelines where pipeline_id = ${pipeline.pipelineId}`);
      for (const name of LEDGER_TABLES) {
        await copy(name, `pgsluice.${name} where ${ownedSql(name, options)}`);
      }
    });
    return new LedgerCopy(sql, options);
  }

  private constructor(sql: Sql, options: LedgerCopyOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  /** Loses what was committed since. No ingester gets in between. */
  async putBack(): Promise<void> {
    const { pipeline, table, schema } = this.#options;
    await this.#sql.begin(async (transaction) => {
      const [self] = await transaction<{ pid: number }[]>`select pg_backend_pid() as pid`;
      // in the queue before the owner loses its lock, so that the next owner comes after
      const lock = transaction.unsafe(
        `select pg_advisory_xact_lock(${ownerLockKeySql("$1")})`,
        [pipeline.name],
      ).execute();
      await this.#until(async () => {
        const waiting = await this.#sql`
          select from pg_locks where pid = ${self!.pid} and locktype = 'advisory'`;
        return waiting.length > 0;
      });
      await this.#until(async () => {
        const all = await pipelineSessions(this.#sql, pipeline);
        const others = all.filter((pid) => pid !== self!.pid);
        await endSessions(this.#sql, others);
        return others.length === 0;
      });
      await lock;
      for (const name of LEDGER_TABLES.toReversed()) {
        await transaction.unsafe(
          `delete from pgsluice.${name} where ${ownedSql(name, this.#options)}`,
        );
      }
      await transaction.unsafe(`delete from ${table}`);
      for (const name of LEDGER_TABLES) {
        await transaction.unsafe(
          `insert into pgsluice.${name} overriding system value
          select * from ${schema}.copied_${name}`,
        );
      }
      await transaction.unsafe(`insert into ${table} select * from ${schema}.copied_rows`);
      await transaction.unsafe(
        `update pgsluice.pipelines p
        set epoch = copied.epoch
        from ${schema}.copied_pipelines copied
        where p.pipeline_id = copied.pipeline_id`,
      );
    });
  }

  async drop(): Promise<void> {
    for (const name of ["rows", "pipelines", ...LEDGER_TABLES]) {
      await this.#sql.unsafe(`drop table ${this.#options.schema}.copied_${name}`);
    }
  }

  async #until(condition: () => Promise<boolean>): Promise<void> {
    while (!await condition()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Which rows of the ledger's table are the pipeline's, whose table is its own. */
function ownedSql(
  name: (typeof LEDGER_TABLES)[number],
  { pipeline: { pipelineId }, table }: LedgerCopyOptions,
): string {
  const ofPipeline = `pipeline_id = ${pipelineId}`;
  const ofTable = `target_table = '${table.replaceAll("'", "''")}'`;
  switch (name) {
    case "rejects":
    case "duplicates":
      return `file_id in (select file_id from pgsluice.files where ${ofPipeline})`;
    case "rollups":
      return ofTable;
    case "minutes":
    case "minute_deltas":
      return `rollup_id in (select rollup_id from pgsluice.rollups where ${ofTable})`;
    default:
      return ofPipeline;
  }
}
