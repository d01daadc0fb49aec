import type { DatabaseTarget } from "../database/database_target.ts";
import type { IngestObserver } from "../pipeline/ingest_observer.ts";
import { tellAll } from "../pipeline/tell_all.ts";
import { askStatus } from "./ask_status.ts";
import { Health } from "./health.ts";
import { IngestMetrics, type IngestMetricsOptions } from "./ingest_metrics.ts";
import { type OperationsServer, serveOperations } from "./operations_server.ts";

export interface StartOperationsOptions extends Omit<IngestMetricsOptions, "now"> {
  /** As in `127.0.0.1:9464`. */
  readonly listen: string;
  /** Where `/status` asks. */
  readonly target: DatabaseTarget;
}

export interface Operations extends OperationsServer {
  /** To be told what the ingester tells. */
  readonly observer: IngestObserver;
  readonly health: Health;
}

/**
 * Measures an ingester that is about to begin, and tells over HTTP how it is, until `close()`.
 * @throws {PgsluiceError} `listen`
 */
export function startOperations(
  { listen, target, pipeline, build }: StartOperationsOptions,
): Operations {
  const metrics = new IngestMetrics({ pipeline, build });
  const health = new Health();
  const status = askStatus({ target, pipeline });
  const server = serveOperations({ listen, metrics, health, status });
  return { ...server, observer: tellAll([metrics, health]), health };
}
