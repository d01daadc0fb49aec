import { connect, type DatabaseClient, type Sql } from "../database/connect.ts";
import { type DatabaseTarget, withDatabase } from "../database/database_target.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { Skip } from "./check.ts";
import type { Ground } from "./ground.ts";

export type DatabaseReach =
  | { readonly kind: "database"; readonly client: DatabaseClient }
  /** Its server is there, and answers from another database; the one that is meant is not. */
  | { readonly kind: "server"; readonly client: DatabaseClient; readonly error: PgsluiceError }
  | {
    readonly kind: "none";
    readonly error: unknown;
    /** Settles when what was given up, as a server that takes long to start, has been let go. */
    readonly ending?: Promise<unknown>;
  }
  /** The embedded server was not made yet. */
  | { readonly kind: "unmade" };

/** A server that takes longer is told as one that does not answer. */
const REACH_LIMIT_MS = 8_000;
/** No question of a check takes long, or may wait long for somebody's lock. */
const STATEMENT_LIMIT_MS = 5_000;
const LOCK_LIMIT_MS = 2_000;
/** One that is there on every server. */
const OTHER_DATABASE = "postgres";

/** Connects, or says why not. Never rejects; the caller closes the client. */
export async function reachDatabase(
  target: DatabaseTarget,
  { say, limitMs = REACH_LIMIT_MS }: { say: (text: string) => void; limitMs?: number },
): Promise<DatabaseReach> {
  const opening = open(target, say);
  let timer: number | undefined;
  const timeout = new Promise<null>((resolve) => timer = setTimeout(resolve, limitMs, null));
  const reach = await Promise.race([opening, timeout]);
  clearTimeout(timer);
  if (reach !== null) return reach;
  const ending = opening.then((late) => "client" in late ? late.client.close() : undefined);
  const error = new PgsluiceError("database-unreachable", `no answer within ${limitMs / 1000} s`, {
    hint: "check that the server runs, that host and port are right, and what a firewall swallows",
  });
  return { kind: "none", error, ending };
}

async function open(target: DatabaseTarget, say: (text: string) => void): Promise<DatabaseReach> {
  try {
    return { kind: "database", client: await connectTo(target, say) };
  } catch (error) {
    if (!(error instanceof PgsluiceError) || error.code !== "database-missing") {
      return { kind: "none", error };
    }
    return await connectTo(withDatabase(target, OTHER_DATABASE), say).then(
      (client) => ({ kind: "server" as const, client, error }),
      () => ({ kind: "none" as const, error }),
    );
  }
}

function connectTo(target: DatabaseTarget, say: (text: string) => void): Promise<DatabaseClient> {
  return connect(target, {
    applicationName: "pgsluice doctor",
    statementTimeoutMs: STATEMENT_LIMIT_MS,
    sessionSettings: { lock_timeout: String(LOCK_LIMIT_MS) },
    say,
  });
}

/** For questions that any database of the server answers. @throws Skip if none is reached */
export async function askServer(ground: Ground): Promise<Sql> {
  const reach = await ground.reach();
  if ("client" in reach) return reach.client.sql;
  throw new Skip(
    reach.kind === "unmade" ? "the embedded server is not made yet" : "the database is not reached",
  );
}

/** For questions about what is in the database. @throws Skip if it is not reached, or not there */
export async function askDatabase(ground: Ground): Promise<Sql> {
  const sql = await askServer(ground);
  if ((await ground.reach()).kind === "database") return sql;
  throw new Skip("the database does not exist yet");
}
