import type { Schema } from "../schema/schema.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { decimalOfCents, type Manifest, newManifest } from "./manifest.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { FolderOutput, type RecordOutput, StreamOutput } from "./record_output.ts";
import { RecordStream } from "./record_stream.ts";
import { RowBuffer } from "./row_buffer.ts";

/** Rows are handed on when so many bytes of them are ready; few enough that a signal is soon heard. */
const CHUNK_BYTES = 256 * 1024;

/** With a rate, rows wait in an unfinished file for at most so long. */
const MAX_FILE_AGE_MS = 1_000;

export interface GenerateOptions {
  /** All records to write, duplicates and defective ones included; Infinity: until the signal. */
  readonly events: number;
  /** Records a second; as many as the machine makes unless given. */
  readonly rate?: number | undefined;
  /** At least 1; means nothing to a stream. */
  readonly rowsPerFile: number;
  /** A whole number from 0 to 2^53-1. */
  readonly seed: number;
  /** No event is earlier. With the seed it decides every byte. */
  readonly start: Date;
  /** 0 to 100; together with the duplicates not more than 100. */
  readonly dirtyPercent: number;
  readonly duplicatesPercent: number;
  readonly schema: Schema;
  readonly output:
    | { readonly kind: "folder"; readonly directory: string }
    /** The bytes given to `write` are overwritten once it resolves. */
    | { readonly kind: "stream"; write(bytes: Uint8Array): Promise<void> };
  /** Ends the run after the rows at hand; the last file is finished, the manifest is true. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every write, and at the end. */
  readonly onProgress?: ((progress: GenerateProgress) => void) | undefined;
  /** The machine's unless given. */
  readonly clock?: Clock;
}

export interface GenerateProgress {
  readonly events: number;
  /** Finished files. */
  readonly files: number;
  readonly sizeBytes: number;
}

/**
 * Writes events as CSV, each file complete and on disk before it bears its name.
 * @throws {PgsluiceError} `folder-not-writable`, `events-exist`, `output`; and whatever the
 *   stream's `write` throws. No unfinished file is left then.
 */
export async function generateEvents(options: GenerateOptions): Promise<Manifest> {
  const stream = new RecordStream({ ...options, startMs: options.start.getTime() });
  const output = await openOutput(options, stream.header);
  try {
    await writeRecords(stream, output, options);
    await output.finish();
  } finally {
    await output.close();
  }
  options.onProgress?.(progressOf(stream, output));
  return newManifest({
    seed: options.seed,
    start: options.start.toISOString(),
    files: output.fileCount,
    valid: stream.valid,
    duplicates: stream.duplicates,
    defects: stream.defects,
    priceSum: decimalOfCents(stream.priceCents),
  });
}

async function openOutput(options: GenerateOptions, header: Uint8Array): Promise<RecordOutput> {
  if (options.output.kind === "stream") return new StreamOutput(options.output.write, header);
  const stamp = options.start.toISOString().replaceAll(/[-:.]/g, "");
  return await FolderOutput.open({
    directory: options.output.directory,
    stem: `events-${stamp}-${options.seed}`,
    header,
    rowsPerFile: options.rowsPerFile,
    maxAgeMs: options.rate === undefined ? Infinity : MAX_FILE_AGE_MS,
  });
}

async function writeRecords(
  stream: RecordStream,
  output: RecordOutput,
  { events, rate, signal, clock = SYSTEM_CLOCK, onProgress }: GenerateOptions,
): Promise<void> {
  const limiter = rate === undefined
    ? null
    : new RateLimiter({ perSecond: rate, startMs: clock.nowMs() });
  const buffer = new RowBuffer(CHUNK_BYTES);
  while (stream.recordCount < events && !signal?.aborted) {
    const dueCount = limiter?.due(clock.nowMs()) ?? Infinity;
    if (limiter !== null && dueCount === 0) {
      const untilMs = limiter.nextDueMs(clock.nowMs());
      await output.pause(untilMs);
      await clock.sleepUntil(untilMs, signal);
      continue;
    }
    const maxRows = Math.min(dueCount, events - stream.recordCount, output.roomRows);
    buffer.clear();
    let rowCount = 0;
    while (rowCount < maxRows && buffer.length < CHUNK_BYTES) {
      stream.write(buffer);
      rowCount++;
    }
    limiter?.take(rowCount);
    await output.write(buffer.written(), { rowCount, nowMs: clock.nowMs() });
    onProgress?.(progressOf(stream, output));
  }
}

function progressOf(stream: RecordStream, output: RecordOutput): GenerateProgress {
  return { events: stream.recordCount, files: output.fileCount, sizeBytes: output.sizeBytes };
}
