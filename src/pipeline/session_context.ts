import type { Journal } from "../checkpoint/journal.ts";
import type { PipelineBinding } from "../sink/pipeline_binding.ts";
import type { ReplayStream } from "../source/replay_stream.ts";
import type { IngestObserver } from "./ingest_observer.ts";
import type { IngestOptions } from "./ingest_options.ts";
import type { StreamMemory } from "./stream_intake.ts";

/** What an ingest hands from one session to the next. */
export interface SessionContext {
  readonly options: IngestOptions;
  readonly binding: PipelineBinding;
  readonly observer: IngestObserver;
  readonly journal: Journal;
  readonly journalDirectory: string;
  /**
   * The database is reached, the session stands, a batch is durable, nothing is left to do for now.
   */
  readonly onProgress: (fact: "standby" | "started" | "committed" | "caughtUp") => void;
  /** Of a stream source; outlives the session. */
  readonly stream: { readonly replay: ReplayStream; readonly memory: StreamMemory } | null;
}
