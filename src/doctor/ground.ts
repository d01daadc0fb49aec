/** What the checks look at: an ingest as its flags describe it, and the machine it would run on. */
import type { DatabaseTarget } from "../database/database_target.ts";
import type { Schema } from "../schema/schema.ts";
import type { EmbeddedFacts } from "./embedded_facts.ts";
import type { Machine } from "./machine.ts";
import type { DatabaseReach } from "./reach_database.ts";

export interface WatchedFolder {
  /** Absolute. */
  readonly path: string;
  /** It was not named: an ingest makes it. */
  readonly isDefault: boolean;
  readonly recursive: boolean;
  readonly after: "keep" | "delete" | {
    /** Absolute. */
    readonly archive: string;
  };
}

export interface GroundOptions {
  /** Null: the source is a stream. */
  readonly folder: WatchedFolder | null;
  readonly target: DatabaseTarget;
  readonly schema: Schema;
  /** As `--table` names it. */
  readonly table: string;
  readonly pipeline: string;
  readonly timeZone: string;
  /** Batches in the database at a time. */
  readonly connections: number;
  /** Absolute; the folder of all journals. */
  readonly checkpointsDirectory: string;
  readonly machine: Machine;
}

export interface Ground extends GroundOptions {
  /** How the embedded server was found, before it was used. Null: another server is meant. */
  embedded(): Promise<EmbeddedFacts | null>;
  /** One connection for all checks, made when first asked for. Never rejects. */
  reach(): Promise<DatabaseReach>;
}
