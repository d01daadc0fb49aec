/**
 * One connection that carries batches, each in one transaction: the rows, the rejects, the places
 * of the duplicates and, last, the ledger's move.
 *
 * Invariant: when `commit` returns, the batch is durable; when it throws, whether it is must be
 * asked of the ledger.
 */
import { connect, type DatabaseClient, type Sql } from "../database/connect.ts";
import type { DatabaseTarget } from "../database/database_target.ts";
import { noProbe, type Probe } from "../probe.ts";
import type { Schema } from "../schema/schema.ts";
import type { Batch, Reject } from "./batch.ts";
import { keepRecords } from "./keep_records.ts";
import { type BatchMove, type FinishTimes, moveFiles } from "./move_files.ts";
import { batchApplicationName } from "./pipeline_owner.ts";
import type { RecentKeys } from "./recent_keys.ts";
import { RouteChoice } from "./route_choice.ts";
import { type LoadRoute, RowLoader } from "./row_loader.ts";
import type { FileMove } from "./sort_out.ts";

/** A transaction that makes no progress for so long is given up; its outcome is unknown. */
const PROGRESS_DEADLINE_MS = 60_000;

/** A batch's place in the order of commits. */
export interface CommitTurn {
  /**
   * Resolves when every older batch has committed.
   * @throws YieldToOlderError if an older one waits for locks this batch holds
   */
  wait(): Promise<void>;
  /** The same for a batch that holds no locks, and so need not yield. */
  waitWithoutLocks(): Promise<void>;
}

/** Roll back, let the older batch pass, do it again. */
export class YieldToOlderError extends Error {
  constructor() {
    super("an older batch waits for this one's locks");
    this.name = "YieldToOlderError";
  }
}

export interface CommitResult {
  readonly moves: readonly FileMove[];
  /** Those the batch came with, and the key conflicts. */
  readonly rejects: readonly Reject[];
  readonly loaded: number;
  readonly duplicate: number;
}

export interface BatchSinkOptions {
  readonly pipelineId: number;
  readonly epoch: number;
  readonly schema: Schema;
  /** The target, quoted. */
  readonly table: string;
  /** 60,000 unless given. */
  readonly progressDeadlineMs?: number;
  readonly probe?: Probe;
  /** Shared by the connections of a session. */
  readonly recentKeys: RecentKeys;
}

export class BatchSink {
  /** The server process behind the connection. */
  readonly processId: number;
  readonly #client: DatabaseClient;
  readonly #options: BatchSinkOptions;
  readonly #loader: RowLoader;
  readonly #probe: Probe;
  readonly #routes: RouteChoice;
  /** Of the last batch that committed here; null before the first. */
  #before: FinishTimes | null = null;

  static async open(target: DatabaseTarget, options: BatchSinkOptions): Promise<BatchSink> {
    options.probe?.("sink.connect");
    const client = await connect(target, {
      applicationName: batchApplicationName(options),
    });
    const deadline = new ProgressDeadline({
      limitMs: options.progressDeadlineMs ?? PROGRESS_DEADLINE_MS,
      onPassed: () => client.destroy(),
    });
    try {
      const [row] = await client.sql<{ processId: number }[]>`
        select pg_backend_pid() as "processId"`;
      const hasFilter = await hasRowFilter(client.sql, options.table);
      return new BatchSink(client, { processId: row!.processId, hasFilter, ...options });
    } catch (error) {
      await client.close();
      throw error;
    } finally {
      deadline.pause();
    }
  }

  private constructor(
    client: DatabaseClient,
    options: BatchSinkOptions & { processId: number; hasFilter: boolean },
  ) {
    this.#client = client;
    this.#options = options;
    this.processId = options.processId;
    this.#probe = options.probe ?? noProbe;
    this.#loader = new RowLoader({ ...options, send: client.send });
    this.#routes = new RouteChoice(options);
  }

  /** Commits the batch when its turn has come. */
  async commit(batch: Batch, turn: CommitTurn): Promise<CommitResult> {
    const { recentKeys } = this.#options;
    recentKeys.enter(batch);
    let route = this.#routes.routeFor(batch);
    try {
      for (;;) {
        try {
          const result = await this.#transact(batch, turn, route);
          const refused = result.rejects.length - batch.rejects.length;
          this.#routes.committed(route, result.duplicate + refused === 0);
          return result;
        } catch (error) {
          if (error instanceof YieldToOlderError) {
            const lap = lapTimer();
            await turn.waitWithoutLocks();
            batch.stages.turnMs += lap();
          } else {
            const next = this.#routes.after(route, error);
            if (next === null) throw error;
            route = next;
          }
        }
      }
    } finally {
      recentKeys.leave(batch);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Drops the connection at once. */
  destroy(): void {
    this.#client.destroy();
  }

  async #transact(batch: Batch, turn: CommitTurn, route: LoadRoute): Promise<CommitResult> {
    const lap = lapTimer();
    const { stages, connections } = batch;
    const { progressDeadlineMs = PROGRESS_DEADLINE_MS } = this.#options;
    const deadline = new ProgressDeadline({
      limitMs: progressDeadlineMs,
      onPassed: () => this.#client.destroy(),
    });
    const probe = this.#probe;
    try {
      probe("sink.begin");
      const { moves, rejects, duplicates } = await this.#client.sql.begin(async (transaction) => {
        const sorted = await this.#loader.load(transaction, {
          batch,
          route,
          // a slow link is no dead one
          onSent: () => deadline.progress(),
          olderCommitted: async () => {
            stages.copyMs += lap();
            deadline.pause();
            await turn.wait().finally(() => stages.turnMs += lap());
            deadline.progress();
          },
        }).finally(() => stages.copyMs += lap());
        probe("sink.keep");
        await keepRecords(transaction, sorted);
        const keepMs = lap();
        deadline.pause();
        await turn.wait().finally(() => stages.turnMs += lap());
        deadline.progress();
        const move: BatchMove = {
          ...this.#options,
          ...sorted,
          route,
          elapsedMs: performance.now() - batch.openedAtMs,
          copyMs: stages.copyMs,
          carried: { connections, stages, before: this.#before },
        };
        probe("sink.move");
        await moveFiles(transaction, move);
        stages.ledgerMs = keepMs + lap();
        deadline.progress();
        probe("sink.commit");
        return sorted;
      });
      stages.commitMs = lap();
      this.#before = { ledgerMs: stages.ledgerMs, commitMs: stages.commitMs };
      probe("sink.committed");
      const loaded = moves.reduce((sum, move) => sum + move.loaded, 0);
      return { moves, rejects, loaded, duplicate: duplicates.length };
    } catch (error) {
      probe("sink.rolled-back");
      throw error;
    } finally {
      deadline.pause();
    }
  }
}

/** Whether the table has a trigger that can keep a row out without an error. */
async function hasRowFilter(sql: Sql, table: string): Promise<boolean> {
  // bits of tgtype: 1 for each row, 2 before, 4 insert; a partition has triggers of its own
  const [row] = await sql<{ found: boolean }[]>`
    select exists (
      select
      from pg_trigger
      where not tgisinternal
        and tgtype & 7 = 7
        and tgrelid in (
          select to_regclass(${table})
          union all
          select relid from pg_partition_tree(to_regclass(${table}))
        )
    ) as found`;
  return row!.found;
}

/** Tells the ms since it was last asked, or made. */
function lapTimer(): () => number {
  let sinceMs = performance.now();
  return () => {
    const beforeMs = sinceMs;
    sinceMs = performance.now();
    return sinceMs - beforeMs;
  };
}

class ProgressDeadline {
  readonly #options: { readonly limitMs: number; readonly onPassed: () => void };
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: { limitMs: number; onPassed: () => void }) {
    this.#options = options;
    this.progress();
  }

  progress(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#options.onPassed, this.#options.limitMs);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }
}
