/**
 * Where the self-test takes place: a schema, a folder and pipelines of its own, in a database that
 * may hold other people's data.
 *
 * Invariants: nothing outside is changed but that the ledger is brought to this version's form;
 * whatever was not there before `open` is gone after `close`. A self-test that was killed leaves
 * its schema behind, and the next one on that database removes it: a living one holds a lock.
 */
import { join } from "@std/path";
import type { ISql } from "postgres";
import { connect, type Sql } from "../database/connect.ts";
import { type DatabaseTarget, describeTarget } from "../database/database_target.ts";
import { holdEmbeddedServer } from "../database/embedded_server.ts";
import { databaseError } from "../database/fault.ts";
import { migrate } from "../database/migrate.ts";
import { quoteIdentifier, tableName } from "../database/quote_identifier.ts";
import { createTableSql } from "../schema/ddl.ts";
import { USER_EVENTS } from "../schema/user_events.ts";
import { hasData } from "../status/has_data.ts";
import { endSessions, type KnownPipeline, pipelineSessions } from "./pipeline_sessions.ts";
import { UNIQUE_NAME_PREFIX } from "./planted_event.ts";
import { makeSelftestHome, type SelftestHome } from "./selftest_home.ts";

const APPLICATION_NAME = "pgsluice selftest";
const SCHEMA_PREFIX = "pgsluice_selftest_";
/** Names of the self-test's pipelines begin so; the id of the run follows. */
const PIPELINE_PREFIX = "selftest ";
const CONNECTIONS = 4;
/** A database of every server. */
const ALWAYS_THERE = "postgres";

/** A pipeline with a table and a folder of its own. */
export interface TestedPipeline {
  readonly name: string;
  /** As `--table` names it, and quoted. */
  readonly table: string;
  readonly quotedTable: string;
  /** Real paths. */
  readonly home: string;
  readonly directory: string;
  readonly archiveDirectory: string;
  readonly checkpointsDirectory: string;
}

export class SelftestGround {
  /** The server, as a URL: an embedded one is held up until `close`. */
  readonly target: DatabaseTarget & { kind: "server" };
  readonly sql: Sql;
  /** Real path of a folder for whatever a campaign needs. */
  readonly home: string;
  readonly #id: string;
  readonly #schemaName: string;
  /** Taken back by `close`, last one first. */
  readonly #undo: (() => Promise<unknown>)[];
  #pipelineCount = 0;

  /** @param options.id letters and digits that tell this run from every other one */
  static async open(
    given: DatabaseTarget,
    options: { id: string; say: (text: string) => void },
  ): Promise<SelftestGround> {
    const { id, say } = options;
    const undo: (() => Promise<unknown>)[] = [];
    try {
      const home = await makeSelftestHome();
      undo.push(() => home.remove());
      const target = await reach(given, { home, say, undo });
      const client = await connect(target, {
        applicationName: APPLICATION_NAME,
        maxConnections: CONNECTIONS,
      });
      undo.push(() => client.close());
      await prepareLedger(client.sql, undo);
      const ground = new SelftestGround({ target, sql: client.sql, home: home.path, id, undo });
      await ground.#begin();
      return ground;
    } catch (error) {
      await takeBack(undo);
      throw databaseError(error, `preparing a self-test in ${describeTarget(given)}`);
    }
  }

  private constructor(made: {
    target: DatabaseTarget & { kind: "server" };
    sql: Sql;
    home: string;
    id: string;
    undo: (() => Promise<unknown>)[];
  }) {
    this.target = made.target;
    this.sql = made.sql;
    this.home = made.home;
    this.#id = made.id;
    this.#schemaName = SCHEMA_PREFIX + made.id;
    this.#undo = made.undo;
  }

  /** Makes table and folders for a pipeline, which the first ingest then makes itself. */
  async newPipeline(what: string): Promise<TestedPipeline> {
    const number = ++this.#pipelineCount;
    const home = join(this.home, `pipeline-${number}`);
    const table = `${this.#schemaName}.events_${number}`;
    const quotedTable = tableName(table).quoted;
    const pipeline: TestedPipeline = {
      // the number first, so that no name begins with another one
      name: `${PIPELINE_PREFIX}${this.#id} ${number} ${what}`,
      table,
      quotedTable,
      home,
      directory: join(home, "events"),
      archiveDirectory: join(home, "archive"),
      checkpointsDirectory: join(home, "checkpoints"),
    };
    await Deno.mkdir(pipeline.directory, { recursive: true });
    await Deno.mkdir(pipeline.archiveDirectory);
    // a constraint of the user's own besides the key: a conflict with it is no duplicate
    await this.sql.unsafe(
      `${createTableSql(USER_EVENTS, { table: quotedTable })}
      create unique index on ${quotedTable} (user_id, product_name)
        where product_name like '${UNIQUE_NAME_PREFIX}%'`,
    );
    return pipeline;
  }

  /** Removes all that there is of a pipeline. */
  async dropPipeline(pipeline: TestedPipeline): Promise<void> {
    await removePipelines(this.sql, pipeline.name);
    await this.sql.unsafe(`drop table ${pipeline.quotedTable}`);
    await Deno.remove(pipeline.home, { recursive: true });
  }

  /** The pipeline's schema, for tables beside the pipelines' own; quoted. */
  get schema(): string {
    return quoteIdentifier(this.#schemaName);
  }

  /** Leaves everything as it was. Twice is safe. */
  async close(): Promise<void> {
    await takeBack(this.#undo);
  }

  async #begin(): Promise<void> {
    await removeAbandoned(this.sql);
    await this.sql`select pg_advisory_lock(${lockKey(this.sql, this.#schemaName)})`;
    await this.sql.unsafe(`create schema ${this.schema}`);
    this.#undo.push(() => removeRun(this.sql, this.#schemaName));
  }
}

async function takeBack(undo: (() => Promise<unknown>)[]): Promise<void> {
  let failure: unknown;
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
    try {
      await step();
    } catch (error) {
      // the rest is to be cleaned up all the same
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}

/** A server's URL; where no embedded one was made yet, one in the self-test's own folder serves. */
async function reach(
  target: DatabaseTarget,
  { home, say, undo }: {
    home: SelftestHome;
    say: (text: string) => void;
    undo: (() => Promise<unknown>)[];
  },
): Promise<DatabaseTarget & { kind: "server" }> {
  if (target.kind === "server") return target;
  const isThere = await hasData(target);
  const dataDirectory = isThere ? target.dataDirectory : home.postgresDirectory;
  const hold = await holdEmbeddedServer(dataDirectory, { say });
  undo.push(() => hold.release());
  // the server is ours, so a database will do that has none of the user's data
  return { kind: "server", url: hold.url(ALWAYS_THERE) };
}

/** Where there is no ledger, one is made, and removed again unless somebody began to use it. */
async function prepareLedger(sql: Sql, undo: (() => Promise<unknown>)[]): Promise<void> {
  const [row] = await sql<{ isThere: boolean }[]>`
    select to_regclass('pgsluice.pipelines') is not null as "isThere"`;
  if (!row!.isThere) {
    undo.push(async () => {
      const [other] = await sql`select from pgsluice.pipelines limit 1`;
      if (other === undefined) await sql`drop schema pgsluice cascade`;
    });
  }
  await migrate(sql);
}

/** What self-tests left behind that were killed. */
async function removeAbandoned(sql: Sql): Promise<void> {
  const schemas = await sql<{ name: string }[]>`
    select nspname as name
    from pg_namespace
    where starts_with(nspname, ${SCHEMA_PREFIX}) and pg_has_role(nspowner, 'usage')`;
  for (const { name } of schemas) {
    await sql.begin(async (transaction) => {
      const [row] = await transaction<{ locked: boolean }[]>`
        select pg_try_advisory_xact_lock(${lockKey(sql, name)}) as locked`;
      if (row!.locked) await removeRun(transaction, name);
    });
  }
}

async function removeRun(sql: ISql, schemaName: string): Promise<void> {
  const id = schemaName.slice(SCHEMA_PREFIX.length);
  await removePipelines(sql, `${PIPELINE_PREFIX}${id} `);
  await sql.unsafe(`drop schema if exists ${quoteIdentifier(schemaName)} cascade`);
}

/** Ends what is left of them and takes them out of the ledger. */
async function removePipelines(sql: ISql, prefix: string): Promise<void> {
  const pipelines = await sql<KnownPipeline[]>`
    select pipeline_id::float8 as "pipelineId", name
    from pgsluice.pipelines
    where starts_with(name, ${prefix})`;
  for (const pipeline of pipelines) {
    const { pipelineId } = pipeline;
    await endSessions(sql, await pipelineSessions(sql, pipeline));
    for (const table of ["rejects", "duplicates"]) {
      await sql`
        delete from ${sql("pgsluice")}.${sql(table)}
        where file_id in (select file_id from pgsluice.files where pipeline_id = ${pipelineId})`;
    }
    for (const table of ["files", "batches", "pipelines"]) {
      await sql`
        delete from ${sql("pgsluice")}.${sql(table)} where pipeline_id = ${pipelineId}`;
    }
  }
}

function lockKey(sql: ISql, schemaName: string) {
  return sql`hashtextextended(${`pgsluice selftest ${schemaName}`}, 0)`;
}
