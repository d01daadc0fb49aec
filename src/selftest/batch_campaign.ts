/**
 * Single batches, put to the connection that carries them. One that fails, at whatever step, is in
 * table and ledger as a whole or not at all. What only a stale ingester would send is refused,
 * changing nothing: a batch of an epoch that has passed, or one that begins where the ledger is not.
 */
import { join } from "@std/path";
import type { Sql } from "../database/connect.ts";
import { schemaFingerprint } from "../schema/schema_fingerprint.ts";
import { USER_EVENTS } from "../schema/user_events.ts";
import { Batcher } from "../pipeline/batcher.ts";
import { FileCursor } from "../pipeline/file_cursor.ts";
import { trackFile } from "../pipeline/tracked_file.ts";
import { noProbe, type Probe, type ProbePoint } from "../probe.ts";
import type { Batch } from "../sink/batch.ts";
import { BatchSink } from "../sink/batch_sink.ts";
import { LedgerMovedError, registerFiles } from "../sink/ledger.ts";
import { bindPipeline, type PipelineBinding } from "../sink/pipeline_binding.ts";
import { PipelineOwner } from "../sink/pipeline_owner.ts";
import { RecentKeys } from "../sink/recent_keys.ts";
import { openFile } from "../source/byte_source.ts";
import { ContentHash } from "../source/content_hash.ts";
import { hostId } from "../source/host_id.ts";
import type { CampaignContext } from "./campaign.ts";
import { failureOf } from "./fault_injector.ts";
import { BATCH_ROWS } from "./ingest_options_of.ts";
import { plantedCsv, plantedEvents } from "./planted_event.ts";
import { applyChanges } from "./planted_input.ts";
import type { TestedPipeline } from "./selftest_ground.ts";

const PIECES = 4;

/** The steps of a batch; in the last one it has committed. */
const STEPS: readonly ProbePoint[] = [
  "sink.begin",
  "sink.copy",
  "sink.copying",
  "sink.keep",
  "sink.move",
  "sink.commit",
  "sink.committed",
];

export async function runBatchCampaign(context: CampaignContext): Promise<void> {
  const { ground, tally, signal } = context;
  const pipeline = await ground.newPipeline("batches");
  const owner = await PipelineOwner.take(ground.target, {
    name: pipeline.name,
    noWait: true,
    onStandby: () => {},
    onLost: () => {},
    signal,
  });
  if (owner === null) throw signal.reason;
  try {
    const { pipelineId } = await bindPipeline(owner.sql, await bindingOf(pipeline));
    const staleEpoch = await owner.claim(pipelineId);
    const batches = await readBatches(pipeline, { sql: owner.sql, pipelineId });
    const trial = new Trial(context, { pipeline, pipelineId });
    await trial.expect("loaded", { batch: batches[0]!, epoch: staleEpoch, why: "it is in order" });
    await trial.expect("refused", {
      batch: batches[0]!,
      epoch: staleEpoch,
      why: "it was committed before",
    });
    await trial.expect("refused", {
      batch: batches[2]!,
      epoch: staleEpoch,
      why: "it begins behind a gap",
    });
    const epoch = await owner.claim(pipelineId);
    await trial.expect("refused", {
      batch: batches[1]!,
      epoch: staleEpoch,
      why: "its epoch has passed",
    });
    await trial.expect("loaded", { batch: batches[1]!, epoch, why: "it is in order" });
    for (const step of STEPS) await trial.fail(batches[2]!, { epoch, step });
    await owner.sql`
      update pgsluice.files set revision = revision + 1 where pipeline_id = ${pipelineId}`;
    await trial.expect("refused", {
      batch: batches[3]!,
      epoch,
      why: "the file was changed beside it",
    });
    tally.lives++;
  } finally {
    await owner.release();
  }
  await ground.dropPipeline(pipeline);
}

class Trial {
  readonly #context: CampaignContext;
  readonly #pipeline: TestedPipeline;
  readonly #pipelineId: number;

  constructor(
    context: CampaignContext,
    { pipeline, pipelineId }: { pipeline: TestedPipeline; pipelineId: number },
  ) {
    this.#context = context;
    this.#pipeline = pipeline;
    this.#pipelineId = pipelineId;
  }

  async expect(
    expected: "loaded" | "refused",
    { batch, epoch, why }: { batch: Batch; epoch: number; why: string },
  ): Promise<void> {
    const { tally, progress } = this.#context;
    progress(`batches: a batch that is to be ${expected}: ${why}`);
    const before = await this.#state();
    const found = await this.#commit(batch, epoch);
    const after = await this.#state();
    if (expected === "refused") tally.databaseFaults++;
    if (found !== expected) {
      tally.violate("batches", [`a batch was ${found}, expected ${expected}: ${why}`]);
    } else if (
      (after.text !== before.text) !== (expected === "loaded") || after.rows !== after.loaded
    ) {
      tally.violate("batches", [`a batch was ${found}, and table and ledger tell otherwise`]);
    }
  }

  /** Lets the batch fail at this step. */
  async fail(batch: Batch, { epoch, step }: { epoch: number; step: ProbePoint }): Promise<void> {
    const { tally, progress } = this.#context;
    progress(`batches: one that fails at ${step}`);
    const before = await this.#state();
    await this.#commit(batch, epoch, (point) => {
      if (point === step) throw failureOf(step);
    });
    const after = await this.#state();
    tally.countFault(step);
    const isThere = after.text !== before.text;
    if (isThere !== (step === "sink.committed") || after.rows !== after.loaded) {
      tally.violate("batches", [
        `a batch failed at ${step}, and left ${after.rows} rows in the table, ${after.loaded} in ` +
        `the ledger, where ${before.rows} had been`,
      ]);
    }
  }

  async #commit(batch: Batch, epoch: number, probe: Probe = noProbe): Promise<string> {
    const sink = await BatchSink.open(this.#context.ground.target, {
      pipelineId: this.#pipelineId,
      epoch,
      schema: USER_EVENTS,
      table: this.#pipeline.quotedTable,
      recentKeys: new RecentKeys(),
      probe,
    });
    const immediately = () => Promise.resolve();
    try {
      await sink.commit(batch, { wait: immediately, waitWithoutLocks: immediately });
      return "loaded";
    } catch (error) {
      return error instanceof LedgerMovedError ? "refused" : `ended with ${error}`;
    } finally {
      await sink.close();
    }
  }

  async #state(): Promise<State> {
    const { sql } = this.#context.ground;
    const [table] = await sql.unsafe<{ rows: number }[]>(
      `select count(*)::int as rows from ${this.#pipeline.quotedTable}`,
    );
    const [files] = await sql<{ loaded: number }[]>`
      select committed_byte, loaded::int as loaded, duplicate, rejected, revision
      from pgsluice.files
      where pipeline_id = ${this.#pipelineId}`;
    const [batches] = await sql`
      select count(*)::int from pgsluice.batches where pipeline_id = ${this.#pipelineId}`;
    return {
      rows: table!.rows,
      loaded: files!.loaded,
      text: JSON.stringify([table, files, batches]),
    };
  }
}

/** Of table and ledger. */
interface State {
  readonly rows: number;
  /** As the ledger says. */
  readonly loaded: number;
  /** All of it, to be compared. */
  readonly text: string;
}

/** The pieces of one file, as the ingester cuts them. */
async function readBatches(
  pipeline: TestedPipeline,
  { sql, pipelineId }: { sql: Sql; pipelineId: number },
): Promise<Batch[]> {
  const path = "pieces.csv";
  const bytes = plantedCsv(plantedEvents("pieces", PIECES * BATCH_ROWS));
  await applyChanges([{ path, how: "create", bytes }], pipeline);
  const meaning = await bindingOf(pipeline);
  const [file] = await registerFiles(sql, { pipelineId, paths: [path], meaning });
  const batches: Batch[] = [];
  const batcher = new Batcher({
    limits: { rows: BATCH_ROWS, sizeBytes: bytes.length, lingerMs: 0 },
    poolSize: PIECES + 1,
    offer: (batch) => Promise.resolve(void batches.push(batch)),
  });
  const source = await openFile(join(pipeline.directory, path));
  try {
    const cursor = new FileCursor({
      file: trackFile(file!),
      source,
      meaning: {
        schema: USER_EVENTS,
        timeZone: meaning.timeZone,
        pipelineName: pipeline.name,
        maxRecordBytes: meaning.maxRecordBytes,
      },
      batcher,
      hash: new ContentHash(),
      mapping: null,
      signal: new AbortController().signal,
    });
    await cursor.read({ limitByte: bytes.length });
  } finally {
    source.close();
  }
  return batches;
}

async function bindingOf(pipeline: TestedPipeline): Promise<PipelineBinding> {
  return {
    name: pipeline.name,
    sourceKind: "folder",
    sourceHost: await hostId(),
    sourcePath: pipeline.directory,
    targetTable: pipeline.quotedTable,
    keyColumn: USER_EVENTS.key,
    timeZone: "UTC",
    schemaFingerprint: schemaFingerprint(USER_EVENTS),
    dialect: "rfc4180",
    maxRecordBytes: 1024 * 1024,
  };
}
