/**
 * A server that loads batches by arithmetic: sessions share its cores, commits come one after the
 * other in the order of the batches. Nothing waits and nothing is random.
 */
import { BatchSize } from "../../src/pipeline/batch_size.ts";
import { ConnectionCount } from "../../src/pipeline/connection_count.ts";

export interface ServerModel {
  readonly cores: number;
  /** ms of a core for a row, and for a batch whatever its size. */
  readonly rowMs: number;
  readonly batchMs: number;
  /** How much slower each session gets with each one beside it. */
  readonly contention: number;
  readonly roundTripMs: number;
  /** ms of a commit, which takes no core. */
  readonly flushMs: number;
}

/** 100,000 rows/s on one core, at the other end of a socket. */
export const FAST_SERVER: ServerModel = {
  cores: 2,
  rowMs: 0.01,
  batchMs: 1,
  contention: 0,
  roundTripMs: 0.1,
  flushMs: 2,
};

interface Flight {
  readonly records: number;
  readonly connections: number;
  readonly beganMs: number;
  phase: "asking" | "copying" | "waiting" | "finishing";
  /** ms of time, or of a core while it copies. */
  left: number;
  loadMs: number;
}

/** Round trips until the first row is sent and after the last one, and of the end. */
const LOAD_ROUND_TRIPS = 4;
const FINISH_ROUND_TRIPS = 2;

export class SimulatedLoad {
  server: ServerModel;
  /** False while there is less to load than the server would take. */
  hasBacklog = true;
  readonly batchSize: BatchSize;
  readonly connectionCount: ConnectionCount;
  nowMs = 0;
  /** What was wanted after each commit. */
  readonly history: { atMs: number; records: number; connections: number; tookMs: number }[] = [];
  #flights: Flight[] = [];

  constructor(
    server: ServerModel,
    { mostRecords, mostConnections }: { mostRecords: number; mostConnections: number },
  ) {
    this.server = server;
    this.batchSize = new BatchSize({ mostRecords });
    this.connectionCount = new ConnectionCount({ most: mostConnections });
  }

  /** Goes on until so many more batches have committed. */
  run(batches: number): void {
    const until = this.history.length + batches;
    while (this.history.length < until) this.#step();
  }

  /** Goes on for so long. */
  runFor(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.nowMs < untilMs) this.#step();
  }

  #step(): void {
    while (this.#flights.length < this.connectionCount.wanted) this.#launch();
    const speed = this.#speed();
    const leftMs = (flight: Flight) =>
      flight.phase === "waiting"
        ? Infinity
        : flight.left / (flight.phase === "copying" ? speed : 1);
    const passedMs = Math.min(...this.#flights.map(leftMs));
    this.nowMs += passedMs;
    for (const flight of this.#flights) {
      if (flight.phase !== "waiting") {
        flight.left -= passedMs * (flight.phase === "copying" ? speed : 1);
      }
    }
    for (const flight of [...this.#flights]) {
      if (flight.phase !== "waiting" && flight.left < 1e-9) this.#enterNext(flight);
    }
    const [oldest] = this.#flights;
    if (oldest?.phase === "waiting") {
      oldest.phase = "finishing";
      oldest.left = this.#finishMs();
    }
  }

  #launch(): void {
    const { roundTripMs } = this.server;
    this.#flights.push({
      records: this.batchSize.records,
      connections: this.connectionCount.wanted,
      beganMs: this.nowMs,
      phase: "asking",
      left: LOAD_ROUND_TRIPS * roundTripMs,
      loadMs: 0,
    });
  }

  #speed(): number {
    const copying = this.#flights.filter(({ phase }) => phase === "copying").length;
    const { cores, contention } = this.server;
    return Math.min(1, cores / copying) / (1 + contention * Math.max(0, copying - 1));
  }

  #finishMs(): number {
    return FINISH_ROUND_TRIPS * this.server.roundTripMs + this.server.flushMs;
  }

  #enterNext(flight: Flight): void {
    if (flight.phase === "asking") {
      flight.phase = "copying";
      flight.left = this.server.batchMs + flight.records * this.server.rowMs;
    } else if (flight.phase === "copying") {
      flight.phase = "waiting";
      flight.loadMs = this.nowMs - flight.beganMs;
    } else {
      this.#commit(flight);
    }
  }

  #commit(flight: Flight): void {
    this.#flights.shift();
    const { records, connections, loadMs, beganMs } = flight;
    const isFull = this.hasBacklog;
    if (isFull) this.batchSize.committed({ records, loadMs, fixedMs: this.#finishMs() });
    this.connectionCount.committed({ records, isFull, connections, atMs: this.nowMs });
    this.history.push({
      atMs: this.nowMs,
      records: this.batchSize.records,
      connections: this.connectionCount.wanted,
      tookMs: this.nowMs - beganMs,
    });
  }
}
