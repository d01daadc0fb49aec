import { describeTarget, targetDatabase } from "../database/database_target.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { type Check, type Finding, ok, problem, Skip } from "./check.ts";
import { reasonOf } from "./reason_of.ts";
import type { DatabaseReach } from "./reach_database.ts";
import { quoteIdentifier } from "../database/quote_identifier.ts";

/** The server answers, lets this user in, and is one that will do: version, encoding, no pooler. */
export const databaseCheck: Check = {
  name: "database",
  async look(ground) {
    const reach = await ground.reach();
    switch (reach.kind) {
      case "unmade":
        throw new Skip("the embedded server is not made yet; an ingest makes it");
      case "none":
        return unreached(reach.error);
      case "server":
        return await missing(reach, targetDatabase(ground.target));
      case "database": {
        const [row] = await reach.client.sql<{ version: string }[]>`
          select current_setting('server_version') as version`;
        return ok(
          `${describeTarget(ground.target)} answers: PostgreSQL ${row!.version}, UTF8, sessions ` +
            "of its own",
        );
      }
    }
  },
};

function unreached(error: unknown): Finding {
  if (error instanceof PgsluiceError) return problem(error.message, error.hint);
  throw error;
}

async function missing(
  { client, error }: Extract<DatabaseReach, { kind: "server" }>,
  database: string,
): Promise<Finding> {
  const [row] = await client.sql<{ may: boolean }[]>`
    select rolcreatedb or rolsuper as may
    from pg_roles
    where rolname = current_user`;
  if (row?.may === true) return ok(`database ${database} is not there yet; an ingest makes it`);
  const create = `create database ${quoteIdentifier(database)} template template0 encoding 'UTF8'`;
  return problem(
    `${reasonOf(error)}, and this user may not make it`,
    `let an owner of the server run: ${create}`,
  );
}
