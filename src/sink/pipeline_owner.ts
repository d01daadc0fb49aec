/**
 * One ingester owns a pipeline: it holds an advisory lock on a connection of its own, and the
 * epoch in the ledger that every batch checks. Invariant: a batch of an older epoch cannot commit
 * after `claim` returned, because its sessions are ended and its compare-and-set fails.
 */
import { connect, type DatabaseClient } from "../database/connect.ts";
import type { DatabaseTarget } from "../database/database_target.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";

/** The lock's key as SQL, for a pipeline's name given as SQL. */
export function ownerLockKeySql(nameSql: string): string {
  return `hashtextextended('pgsluice pipeline ' || ${nameSql}, 0)`;
}

/** How long the server lets the silent connection of a frozen owner keep the lock. */
const IDLE_LIMIT_MS = 10_000;
const HEARTBEAT_MS = 1_000;
/** A heartbeat not answered for so long means that the connection is dead. */
const HEARTBEAT_DEADLINE_MS = 8_000;
const STANDBY_POLL_MS = 500;
/** Time for terminated sessions of an older owner to roll back. */
const EVICTION_DEADLINE_MS = 10_000;
const EVICTION_POLL_MS = 20;

export interface PipelineOwnerOptions {
  readonly name: string;
  /** Fail with exit code 75 instead of standing by for another owner. */
  readonly noWait: boolean;
  /** Called once if another ingester owns the pipeline. */
  readonly onStandby: () => void;
  /** Called once when the lock can no longer be trusted. */
  readonly onLost: (cause: unknown) => void;
  /** Ends the standing by. */
  readonly signal: AbortSignal;
}

export class PipelineOwner {
  readonly #client: DatabaseClient;
  readonly #options: PipelineOwnerOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #over = false;

  /**
   * Takes the lock, standing by for it if need be. Close it with `release()`.
   * @returns null if the signal came while standing by
   * @throws PgsluiceError `pipeline-owned` under `noWait`
   */
  static async take(
    target: DatabaseTarget,
    options: PipelineOwnerOptions,
  ): Promise<PipelineOwner | null> {
    let owner: PipelineOwner | undefined;
    let lost: Error | undefined;
    const client = await connect(target, {
      applicationName: "pgsluice owner",
      onClose: (cause) => {
        lost = cause;
        if (owner !== undefined) owner.#lose(cause);
      },
      sessionSettings: { idle_session_timeout: String(IDLE_LIMIT_MS) },
    });
    try {
      const locked = await standBy(client, options);
      if (!locked) {
        await client.close();
        return null;
      }
      owner = new PipelineOwner(client, options);
      if (lost !== undefined) owner.#lose(lost);
      return owner;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  private constructor(client: DatabaseClient, options: PipelineOwnerOptions) {
    this.#client = client;
    this.#options = options;
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  get sql(): DatabaseClient["sql"] {
    return this.#client.sql;
  }

  /** Ends the sessions of earlier owners, then raises the epoch. @returns the new epoch */
  async claim(pipelineId: number): Promise<number> {
    const pattern = batchApplicationName({ pipelineId, epoch: "%" });
    const deadlineMs = performance.now() + EVICTION_DEADLINE_MS;
    for (;;) {
      const left = await this.sql`
        select pg_terminate_backend(pid)
        from pg_stat_activity
        where application_name like ${pattern} and datname = current_database()`;
      if (left.length === 0) break;
      if (performance.now() > deadlineMs) {
        throw new PgsluiceError(
          "owner-lingers",
          `${left.length} sessions of an earlier ingester of pipeline ${this.#options.name} ` +
            `did not end within ${EVICTION_DEADLINE_MS / 1000} s`,
          { hint: "end them with pg_terminate_backend as a superuser, then start again" },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, EVICTION_POLL_MS));
    }
    const [row] = await this.sql<{ epoch: number }[]>`
      update pgsluice.pipelines
      set epoch = epoch + 1
      where pipeline_id = ${pipelineId}
      returning epoch::float8`;
    if (row === undefined) throw new Error(`pipeline ${pipelineId} is not in the ledger`);
    return row.epoch;
  }

  /** The server processes that the one given waits for. */
  async blockersOf(processId: number): Promise<number[]> {
    const [row] = await this.sql<{ blockers: number[] }[]>`
      select pg_blocking_pids(${processId}) as blockers`;
    return row?.blockers ?? [];
  }

  /** Lets the lock go. Safe twice. */
  async release(): Promise<void> {
    this.#over = true;
    clearInterval(this.#timer);
    await this.#client.close();
  }

  #beat(): void {
    const deadline = setTimeout(
      () => this.#lose(new Error("the server did not answer the owner's heartbeat")),
      HEARTBEAT_DEADLINE_MS,
    );
    this.sql`select 1`
      .catch((error: unknown) => this.#lose(error))
      .finally(() => clearTimeout(deadline));
  }

  #lose(cause: unknown): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#timer);
    this.#client.destroy();
    this.#options.onLost(cause);
  }
}

/** Names the sessions that carry batches, so that the next owner can end them. */
export function batchApplicationName(
  owner: { pipelineId: number; epoch: number | "%" },
): string {
  return `pgsluice:${owner.pipelineId}:${owner.epoch}`;
}

async function standBy(client: DatabaseClient, options: PipelineOwnerOptions): Promise<boolean> {
  let said = false;
  while (!options.signal.aborted) {
    const [row] = await client.sql.unsafe<{ locked: boolean }[]>(
      `select pg_try_advisory_lock(${ownerLockKeySql("$1")}) as locked`,
      [options.name],
    );
    if (row?.locked) return true;
    if (options.noWait) {
      throw new PgsluiceError(
        "pipeline-owned",
        `another ingester owns pipeline ${options.name}`,
        {
          hint: "stop it, leave --no-wait out to stand by, or use another --pipeline",
          exitCode: EXIT.tryAgain,
        },
      );
    }
    if (!said) options.onStandby();
    said = true;
    await new Promise((resolve) => setTimeout(resolve, STANDBY_POLL_MS));
  }
  return false;
}
