import { Counter, Gauge, Histogram, type Registry } from "prom-client";

const TO_A_MINUTE_S = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
  ...[1, 2.5, 5, 10, 30, 60],
];
/** A transaction of few rows takes under a millisecond without fsync, one that waits long a minute. */
const COMMIT_BUCKETS_S = [0.0005, ...TO_A_MINUTE_S];
/** From a small file on an idle machine to a backlog of an hour. */
const LATENCY_BUCKETS_S = [...TO_A_MINUTE_S, 300, 900, 3600];

export type MetricSet = ReturnType<typeof metricSet>;

/**
 * What is measured of an ingester, each under its name. A gauge that is not known is taken out by
 * whoever sets it: a zero would be read as one.
 */
export function metricSet(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const labelled = <Label extends string>(name: string, label: Label, help: string) =>
    new Counter({ name, help, registers, labelNames: [label] });
  return {
    rows: counter("pgsluice_rows_total", "Rows loaded into the table."),
    bytes: counter("pgsluice_bytes_total", "Bytes of the source that are committed."),
    rejects: labelled("pgsluice_rejects_total", "code", "Records rejected, by reason."),
    duplicates: counter(
      "pgsluice_duplicates_total",
      "Records that were in the table already and were not loaded again.",
    ),
    batches: counter("pgsluice_batches_total", "Batches committed."),
    commitSeconds: new Histogram({
      name: "pgsluice_commit_seconds",
      help: "How long the COMMIT of a batch took.",
      buckets: COMMIT_BUCKETS_S,
      registers,
    }),
    stageSeconds: labelled(
      "pgsluice_stage_seconds_total",
      "stage",
      "Time that batches spent in each stage; stages of several batches pass side by side.",
    ),
    latencySeconds: new Histogram({
      name: "pgsluice_end_to_end_latency_seconds",
      help: "From a file's last change, or the start of this ingester if that was later, to the " +
        "commit; once for each file in a batch.",
      buckets: LATENCY_BUCKETS_S,
      registers,
    }),
    lastCommit: gauge(
      "pgsluice_last_commit_timestamp_seconds",
      "When a batch was last committed, in seconds since 1970.",
    ),
    backlogFiles: gauge(
      "pgsluice_backlog_files",
      "Files known to be in the folder with bytes that are not committed.",
    ),
    backlogBytes: gauge(
      "pgsluice_backlog_bytes",
      "Bytes known to be in the folder that are not committed.",
    ),
    oldestUnreadAge: gauge(
      "pgsluice_oldest_unread_file_age_seconds",
      "Since the last change of the file that has waited longest to be read; 0 if none waits.",
    ),
    fileTroubles: labelled(
      "pgsluice_file_troubles_total",
      "state",
      "Files found that cannot be loaded: failed, or held until somebody decides.",
    ),
    readErrors: counter(
      "pgsluice_read_errors_total",
      "Failed tries to look at or read a file, each of which is made again.",
    ),
    databaseUp: gauge(
      "pgsluice_database_up",
      "1 while the database works, 0 before the first connection and during an outage.",
    ),
    outages: counter("pgsluice_outages_total", "Outages of the database that began."),
    journalUp: gauge("pgsluice_journal_up", "1 while the journal is written, 0 while that fails."),
    journalErrors: counter(
      "pgsluice_journal_errors_total",
      "How often writing the journal began to fail.",
    ),
    owner: gauge(
      "pgsluice_owner",
      "1 while this ingester owns the pipeline, 0 while it stands by or has no database.",
    ),
    buildInfo: new Gauge({
      name: "pgsluice_build_info",
      help: "Always 1; version and commit are labels.",
      labelNames: ["version", "revision"],
      registers,
    }),
  };
}
