/** Ingests in this process, against a test database, with what the observer heard. */
import { join } from "@std/path";
import { ingest } from "../../src/pipeline/ingest.ts";
import type {
  CommittedBatch,
  IngestObserver,
  StartFacts,
} from "../../src/pipeline/ingest_observer.ts";
import type { IngestOptions, IngestSource } from "../../src/pipeline/ingest_options.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { verifyPipeline } from "../../src/verify/verify_pipeline.ts";
import type { TestDatabase } from "./test_database.ts";

export const HEADER =
  "event_id,event_timestamp,event_type,user_id,product_id,product_name,category,price,quantity";

/** A valid line whose key and content follow from the number. */
export function eventLine(number: number, change: { price?: string; key?: number } = {}): string {
  const key = `00000000-0000-7000-8000-${String(change.key ?? number).padStart(12, "0")}`;
  const seconds = String(number % 60).padStart(2, "0");
  const minutes = String(Math.floor(number / 60) % 60).padStart(2, "0");
  return `${key},2026-03-14T10:${minutes}:${seconds}Z,view,${number + 1},${number % 97 + 1},` +
    `Lamp ${number},Home,${change.price ?? "12.50"},1`;
}

/** Header and lines, each with its newline. */
export function csvText(lines: readonly string[]): string {
  return [HEADER, ...lines].map((line) => line + "\n").join("");
}

export function eventLines(from: number, until: number): string[] {
  return Array.from({ length: until - from }, (_, index) => eventLine(from + index));
}

/** What an ingest told, by fact. */
export class Heard implements IngestObserver {
  readonly batches: CommittedBatch[] = [];
  readonly troubles: { path: string; state: string; reason: string }[] = [];
  readonly notes: { path: string; note: string }[] = [];
  readonly outages: { error: unknown; awayMs: number; hasStood: boolean }[] = [];
  readonly recoveries: number[] = [];
  readonly journals: string[] = [];
  readonly readErrors: string[] = [];
  readonly did: string[] = [];
  standbys = 0;
  starts = 0;
  scans = 0;
  turns = 0;
  /** Of the last start. */
  backlog: StartFacts["backlog"] = null;
  #waiters: { condition: () => boolean; resolve: () => void; reject: (why: unknown) => void }[] =
    [];
  #failure: { why: unknown } | null = null;

  get loaded(): number {
    return this.batches.reduce((sum, batch) => sum + batch.loaded, 0);
  }

  get rejected(): number {
    return this.batches.reduce((sum, batch) => sum + batch.rejected, 0);
  }

  get duplicate(): number {
    return this.batches.reduce((sum, batch) => sum + batch.duplicate, 0);
  }

  /** Resolves when a fact was heard after which the condition holds. @throws if none can come */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    if (this.#failure !== null) throw this.#failure.why;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ condition, resolve, reject });
    await promise;
  }

  /** The ingest has failed: nothing more will be heard. */
  fail(why: unknown): void {
    this.#failure = { why };
    for (const { reject } of this.#waiters) reject(why);
    this.#waiters = [];
  }

  standby(): void {
    this.standbys++;
    this.#check();
  }
  started({ did, backlog }: StartFacts): void {
    this.starts++;
    this.did.push(...did);
    this.backlog = backlog;
    this.#check();
  }
  scanned(): void {
    this.scans++;
    this.#check();
  }
  turned(): void {
    this.turns++;
    this.#check();
  }
  committed(batch: CommittedBatch): void {
    this.batches.push(batch);
    this.#check();
  }
  caughtUp(): void {
    this.#check();
  }
  fileTrouble(facts: { path: string; state: "failed" | "held"; reason: string }): void {
    this.troubles.push(facts);
    this.#check();
  }
  fileNote(facts: { path: string; note: string }): void {
    this.notes.push(facts);
    this.#check();
  }
  readError({ path }: { path: string }): void {
    this.readErrors.push(path);
    this.#check();
  }
  journal({ kind }: { kind: string }): void {
    this.journals.push(kind);
    this.#check();
  }
  journalTrouble(error: unknown | null): void {
    this.journals.push(error === null ? "mended" : "trouble");
    this.#check();
  }
  outage(facts: { error: unknown; awayMs: number; hasStood: boolean }): void {
    this.outages.push(facts);
    this.#check();
  }
  recovered({ awayMs }: { awayMs: number }): void {
    this.recoveries.push(awayMs);
    this.#check();
  }

  #check(): void {
    for (const waiter of this.#waiters.filter(({ condition }) => condition())) waiter.resolve();
    this.#waiters = this.#waiters.filter(({ condition }) => !condition());
  }
}

export interface IngestPlace {
  readonly database: TestDatabase;
  /** Real path of a folder of its own: `events` and `checkpoints` are in it. */
  readonly home: string;
  readonly events: string;
}

/** A database and a folder for one test, removed after it. */
export async function withPlace(
  database: TestDatabase,
  use: (place: IngestPlace) => Promise<void>,
): Promise<void> {
  const home = await Deno.realPath(await Deno.makeTempDir());
  try {
    const events = join(home, "events");
    await Deno.mkdir(events);
    await use({ database, home, events });
  } finally {
    await database.drop();
    await Deno.remove(home, { recursive: true });
  }
}

/** The place's folder as a source: `--once`, all else as by default. */
export function folderSource(
  place: IngestPlace,
  change: Partial<IngestSource & { kind: "folder" }> = {},
): IngestSource {
  return {
    kind: "folder",
    directory: place.events,
    once: true,
    recursive: false,
    after: { kind: "keep" },
    onReplaced: "hold",
    fromNow: false,
    ...change,
  };
}

export function ingestOptions(
  place: IngestPlace,
  change: Partial<IngestOptions> = {},
): IngestOptions {
  return {
    target: place.database.target,
    schema: USER_EVENTS,
    table: USER_EVENTS.table,
    pipelineName: "default",
    source: folderSource(place),
    timeZone: "UTC",
    maxRecordBytes: 1024 * 1024,
    limits: { rows: 20_000, sizeBytes: 4 * 1024 * 1024, lingerMs: 20 },
    maxRejects: null,
    connections: 2,
    settleMs: 5_000,
    noWait: true,
    checkpointsDirectory: join(place.home, "checkpoints"),
    signal: new AbortController().signal,
    ...change,
  };
}

export async function ingestOnce(
  place: IngestPlace,
  change: Partial<IngestOptions> = {},
): Promise<Heard> {
  const heard = new Heard();
  await ingest(ingestOptions(place, change), heard);
  return heard;
}

/** An ingest that watches until `stop()`. */
export function ingestWatching(
  place: IngestPlace,
  change: Partial<IngestOptions> = {},
): { heard: Heard; ended: Promise<void>; stop(): Promise<void> } {
  const heard = new Heard();
  const controller = new AbortController();
  const ended = ingest(
    ingestOptions(place, {
      source: folderSource(place, { once: false }),
      signal: controller.signal,
      ...change,
    }),
    heard,
  );
  // met by who awaits it as well
  ended.catch((error) => heard.fail(error));
  return {
    heard,
    ended,
    async stop() {
      controller.abort();
      await ended;
    },
  };
}

/** The summary of a verify that must be exact. */
export async function verifyExact(place: IngestPlace, pipeline = "default"): Promise<string> {
  const report = await verifyPipeline({ sql: place.database.sql, schema: USER_EVENTS, pipeline });
  if (!report.isExact) throw new Error(JSON.stringify(report, null, 2));
  return report.summary;
}

/** Writes as generators do: under a name that no watcher takes, then renamed. */
export async function writeEvents(place: IngestPlace, name: string, text: string | Uint8Array) {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const temporary = join(place.events, `.${name}.tmp`);
  await Deno.writeFile(temporary, bytes);
  await Deno.rename(temporary, join(place.events, name));
}
