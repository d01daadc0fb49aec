import { join } from "@std/path";
import { connect, type Sql } from "../database/connect.ts";
import type { DatabaseTarget } from "../database/database_target.ts";
import { setUp } from "../database/set_up.ts";
import { USER_EVENTS } from "../schema/user_events.ts";
import { verifyPipeline, type VerifyReport } from "../verify/verify_pipeline.ts";
import type { Manifest } from "../generate/manifest.ts";
import {
  type DemoProgress,
  type HourOfEvents,
  type LatencyPercentiles,
  readHours,
  readLatencies,
  readRejects,
  type RejectsOfCode,
} from "./demo_queries.ts";

export const DEMO_PIPELINE = "default";
/** A Saturday; a day and its rhythm are in what follows. Fixed, so that the demo is the same. */
export const DEMO_START = new Date("2026-03-14T00:00:00Z");
export const DIRTY_PERCENT = 2;
export const DUPLICATES_PERCENT = 1;

export interface DemoListener {
  /** A step, worth a line. */
  step(text: string): void;
  progress(progress: DemoProgress & { recordsPerSecond: number }): void;
}

/** What a demo has found out in the end. */
export interface DemoResult {
  readonly report: VerifyReport;
  readonly hours: readonly HourOfEvents[];
  readonly rejects: readonly RejectsOfCode[];
  readonly latencies: LatencyPercentiles;
}

/** Where a demo takes place. */
export interface DemoGround {
  readonly target: DatabaseTarget;
  readonly sql: Sql;
  readonly home: string;
  /** The folder that is watched. */
  readonly events: string;
  readonly signal: AbortSignal;
}

/**
 * Has a server and a folder of its own for the work, and ends what it began.
 * @param options.home an empty folder
 */
export async function withDemoGround<Result>(
  { home, signal }: Pick<DemoGround, "home" | "signal">,
  listener: Pick<DemoListener, "step">,
  work: (ground: DemoGround) => Promise<Result>,
): Promise<Result> {
  const events = join(home, "data", "events");
  await Deno.mkdir(events, { recursive: true });
  const target: DatabaseTarget = {
    kind: "embedded",
    dataDirectory: join(home, "data", "postgres"),
    database: "spark_db",
  };
  listener.step("starting PostgreSQL, unpacked and made for this demo …");
  // holds the server from here on, whatever becomes of the ingesters
  const maintenance = await connect({ ...target, database: "postgres" }, {
    applicationName: "pgsluice demo",
    say: (text) => listener.step(text),
  });
  try {
    await setUp(target, { schema: USER_EVENTS, table: USER_EVENTS.table });
    const client = await connect(target, { applicationName: "pgsluice demo" });
    try {
      return await work({ target, sql: client.sql, home, events, signal });
    } finally {
      await client.close();
    }
  } finally {
    await maintenance.close();
  }
}

/** @param manifest what was generated, if it is one run's */
export async function concludeDemo(
  { sql }: DemoGround,
  listener: Pick<DemoListener, "step">,
  manifest?: Manifest,
): Promise<DemoResult> {
  listener.step("verifying: every file is read again and compared with the table …");
  const report = await verifyPipeline({
    sql,
    schema: USER_EVENTS,
    pipeline: DEMO_PIPELINE,
    ...(manifest !== undefined && { manifest }),
  });
  return {
    report,
    hours: await readHours(sql),
    rejects: await readRejects(sql),
    latencies: await readLatencies(sql),
  };
}
