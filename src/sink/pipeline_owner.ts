/**
 * One ingester owns a pipeline: it holds an advisory lock on a connection of its own, and the
 * epoch in the ledger that every batch checks.
 *
 * Invariants: the lock's connection asks nothing that takes long, so that it beats every second;
 * a process that sleeps (stopped, swapped out, cut off) loses it within `idleLimitMs`, and knows
 * that it may have (`holds`) before it writes anywhere but to the ledger. When `take` returned, no
 * session of an earlier owner is left that could write; one that it opens later has an older epoch.
 */
import { connect, type DatabaseClient } from "../database/connect.ts";
import { connectionLost } from "../database/connection_lost.ts";
import type { DatabaseTarget } from "../database/database_target.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import { LedgerChangedError } from "./ledger.ts";

/** The lock's key as SQL, for a pipeline's name given as SQL. */
export function ownerLockKeySql(nameSql: string): string {
  return `hashtextextended('pgsluice pipeline ' || ${nameSql}, 0)`;
}

export interface OwnerTimes {
  /** How long the server lets the silent connection of a frozen owner keep the lock. */
  readonly idleLimitMs: number;
  readonly heartbeatMs: number;
  /** A heartbeat not answered for so long means that the connection is dead. */
  readonly heartbeatDeadlineMs: number;
  readonly standbyPollMs: number;
  /** A watched connection that hears nothing for so long is asked after. */
  readonly silenceMs: number;
}

/** A killed owner is followed within 2 s, a frozen or vanished one within 15 s. */
export const OWNER_TIMES: OwnerTimes = {
  idleLimitMs: 10_000,
  heartbeatMs: 1_000,
  heartbeatDeadlineMs: 8_000,
  standbyPollMs: 500,
  silenceMs: 30_000,
};

/** Time for terminated sessions of an older owner to roll back. */
const EVICTION_DEADLINE_MS = 10_000;
const EVICTION_POLL_MS = 20;

export interface PipelineOwnerOptions {
  readonly name: string;
  /** Fail with exit code 75 instead of standing by for another owner. */
  readonly noWait: boolean;
  /** Called once if another ingester owns the pipeline. */
  readonly onStandby: () => void;
  /** Hears what a person should know about the connection. */
  readonly say?: (text: string) => void;
  /** Called each time that the lock is asked for and another one holds it. */
  readonly onPoll?: () => void;
  /** Called once when the lock can no longer be trusted. */
  readonly onLost: (cause: unknown) => void;
  /** Ends the standing by. */
  readonly signal: AbortSignal;
  /** {@linkcode OWNER_TIMES} unless given. */
  readonly times?: OwnerTimes;
}

export class PipelineOwner {
  readonly #client: DatabaseClient;
  readonly #options: PipelineOwnerOptions;
  readonly #times: OwnerTimes;
  #timer: ReturnType<typeof setInterval> | undefined;
  #over = false;
  #claimed: { readonly pipelineId: number; readonly changes: number } | null = null;
  #provenAt = now();
  readonly #watched: Watched[] = [];

  /**
   * Takes the lock, standing by for it if need be, and ends the sessions of earlier owners. Close
   * it with `release()`.
   * @returns null if the signal came while standing by
   * @throws PgsluiceError `pipeline-owned` under `noWait`, `owner-lingers`
   */
  static async take(
    target: DatabaseTarget,
    options: PipelineOwnerOptions,
  ): Promise<PipelineOwner | null> {
    const times = options.times ?? OWNER_TIMES;
    let owner: PipelineOwner | undefined;
    let lost: Error | undefined;
    const client = await connect(target, {
      applicationName: "pgsluice owner",
      onClose: (cause) => {
        lost = cause;
        if (owner !== undefined) owner.#lose(cause);
      },
      sessionSettings: { idle_session_timeout: String(times.idleLimitMs) },
      ...(options.say === undefined ? {} : { say: options.say }),
    });
    try {
      const locked = await standBy(client, { ...options, times });
      if (!locked) {
        await client.close();
        return null;
      }
      owner = new PipelineOwner(client, options);
      if (lost !== undefined) owner.#lose(lost);
      await owner.#endEarlierSessions();
      return owner;
    } catch (error) {
      await owner?.release();
      await client.close();
      throw error;
    }
  }

  private constructor(client: DatabaseClient, options: PipelineOwnerOptions) {
    this.#client = client;
    this.#options = options;
    this.#times = options.times ?? OWNER_TIMES;
    this.#timer = setInterval(() => this.#prove(), this.#times.heartbeatMs);
  }

  /** The lock's connection. For short questions: a long one would hold up the heartbeat. */
  get sql(): DatabaseClient["sql"] {
    return this.#client.sql;
  }

  /**
   * Drops the connection of one session when its answer has gone astray: a network that swallows
   * packets gives no error. How long a statement may take says nothing about that; the server does,
   * asked on the lock's connection: it has no more to do there, and this side still waits.
   */
  async watch(client: DatabaseClient): Promise<void> {
    const watched: Watched = { client, processId: 0, idleLooks: 0 };
    this.#watched.push(watched);
    const [row] = await client.sql<{ processId: number }[]>`
      select pg_backend_pid() as "processId"`;
    watched.processId = row!.processId;
  }

  /** Raises the epoch; commands that change the ledger end the session from here on. @returns the new one */
  async claim(pipelineId: number): Promise<number> {
    const [row] = await this.sql<{ epoch: number; changes: number }[]>`
      update pgsluice.pipelines
      set epoch = epoch + 1
      where pipeline_id = ${pipelineId}
      returning epoch::float8, changes::float8`;
    if (row === undefined) throw new Error(`pipeline ${pipelineId} is not in the ledger`);
    this.#claimed = { pipelineId, changes: row.changes };
    return row.epoch;
  }

  /**
   * Asks the server whether the lock is still held. Connections opened before the answer are known
   * to the next owner, who ends them.
   * @throws if the lock is lost, or may be
   */
  async confirm(): Promise<void> {
    await this.#prove();
    if (!this.holds()) throw connectionLost("the lock of the pipeline was lost");
  }

  /**
   * Whether nobody else can own the pipeline at this moment. False, and the end of the session, if
   * the server may have taken the lock back while this process slept and has not yet heard of it.
   */
  holds(): boolean {
    if (this.#over) return false;
    const silentMs = elapsedMs(this.#provenAt);
    if (silentMs < this.#times.idleLimitMs) return true;
    const silentS = (silentMs / 1000).toFixed(1);
    this.#lose(
      connectionLost(`this process was silent for ${silentS} s, longer than a lock keeps`),
    );
    return false;
  }

  /**
   * The server processes that the one given waits for, and those that they wait for in turn: at the
   * end of such a chain is one that waits in its client, which the server cannot know.
   */
  async blockersOf(processId: number): Promise<number[]> {
    const rows = await this.sql<{ pid: number }[]>`
      with recursive blocker (pid) as (
        select unnest(pg_blocking_pids(${processId}))
        union
        select unnest(pg_blocking_pids(pid)) from blocker
      )
      select pid from blocker`;
    return rows.map(({ pid }) => pid);
  }

  /** Lets the lock go. Safe twice. */
  async release(): Promise<void> {
    const isHeld = !this.#over;
    this.#over = true;
    clearInterval(this.#timer);
    // a server lets go of a closed session's locks in its own time: who comes next under `noWait` may
    // be there before
    if (isHeld) await unlock(this.#client, { name: this.#options.name, times: this.#times });
    await this.#client.close();
  }

  /** One heartbeat. Never rejects. */
  async #prove(): Promise<void> {
    const sentAt = now();
    const deadline = setTimeout(
      () => this.#lose(connectionLost("the server did not answer the owner's heartbeat")),
      this.#times.heartbeatDeadlineMs,
    );
    try {
      await this.#beat();
      // the server's clock of idleness began later than this one
      this.#provenAt = sentAt;
      await this.#lookAfterWatched();
    } catch (error) {
      this.#lose(error);
    } finally {
      clearTimeout(deadline);
    }
  }

  async #beat(): Promise<void> {
    if (this.#claimed === null) {
      await this.sql`select 1`;
      return;
    }
    const { pipelineId, changes } = this.#claimed;
    const [row] = await this.sql<{ changes: number }[]>`
      select changes::float8
      from pgsluice.pipelines
      where pipeline_id = ${pipelineId}`;
    if (row?.changes !== changes) throw new LedgerChangedError();
  }

  async #lookAfterWatched(): Promise<void> {
    for (const watched of this.#watched) {
      if (watched.client.silentMs < this.#times.silenceMs) continue;
      const [row] = await this.sql<{ busy: boolean }[]>`
        select state = 'active' and wait_event_type is distinct from 'Client' as busy
        from pg_stat_activity
        where pid = ${watched.processId}`;
      watched.idleLooks = row?.busy === true ? 0 : watched.idleLooks + 1;
      // the answer may be on its way just now
      if (watched.idleLooks > 1) watched.client.destroy();
    }
  }

  #lose(cause: unknown): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#timer);
    this.#client.destroy();
    this.#options.onLost(cause);
  }

  /** What a killed or frozen owner has left open, which may hold locks on rows. */
  async #endEarlierSessions(): Promise<void> {
    const { name } = this.#options;
    const [ledger] = await this.sql<{ exists: boolean }[]>`
      select to_regclass('pgsluice.pipelines') is not null as exists`;
    if (ledger?.exists !== true) return;
    const [pipeline] = await this.sql<{ pipelineId: number }[]>`
      select pipeline_id::float8 as "pipelineId" from pgsluice.pipelines where name = ${name}`;
    if (pipeline === undefined) return;
    const pattern = batchApplicationName({ pipelineId: pipeline.pipelineId, epoch: "%" });
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
          `${left.length} sessions of an earlier ingester of pipeline ${name} did not end within ` +
            `${EVICTION_DEADLINE_MS / 1000} s`,
          { hint: "end them with pg_terminate_backend as a superuser, then start again" },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, EVICTION_POLL_MS));
    }
  }
}

interface Watched {
  readonly client: DatabaseClient;
  /** 0 until the server has said. */
  processId: number;
  /** How often in a row the server had nothing to do for it while an answer was missing. */
  idleLooks: number;
}

interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

function now(): Instant {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

/** By the clock that shows more: the monotonic one stands still while the machine sleeps. */
function elapsedMs(since: Instant): number {
  const { monotonicMs, wallMs } = now();
  return Math.max(monotonicMs - since.monotonicMs, wallMs - since.wallMs);
}

/** Names the sessions that carry batches, so that the next owner can end them. */
export function batchApplicationName(
  owner: { pipelineId: number; epoch: number | "%" },
): string {
  return `pgsluice:${owner.pipelineId}:${owner.epoch}`;
}

async function standBy(
  client: DatabaseClient,
  options: PipelineOwnerOptions & { times: OwnerTimes },
): Promise<boolean> {
  const { times } = options;
  let said = false;
  while (!options.signal.aborted) {
    if (await tryLock(client, options)) return true;
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
    options.onPoll?.();
    await new Promise((resolve) => setTimeout(resolve, times.standbyPollMs));
  }
  return false;
}

/** Never rejects: a connection that is lost has no lock. */
async function unlock(
  client: DatabaseClient,
  { name, times }: { name: string; times: OwnerTimes },
): Promise<void> {
  const deadline = setTimeout(() => client.destroy(), times.heartbeatDeadlineMs);
  try {
    await client.sql.unsafe(`select pg_advisory_unlock(${ownerLockKeySql("$1")})`, [name]);
  } catch {
    // it is closed below
  } finally {
    clearTimeout(deadline);
  }
}

async function tryLock(
  client: DatabaseClient,
  { name, times }: { name: string; times: OwnerTimes },
): Promise<boolean> {
  const deadline = setTimeout(() => client.destroy(), times.heartbeatDeadlineMs);
  try {
    const [row] = await client.sql.unsafe<{ locked: boolean }[]>(
      `select pg_try_advisory_lock(${ownerLockKeySql("$1")}) as locked`,
      [name],
    );
    return row?.locked === true;
  } finally {
    clearTimeout(deadline);
  }
}
