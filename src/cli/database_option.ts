import { type DatabaseTarget, databaseTarget } from "../database/database_target.ts";
import { homePaths } from "../home.ts";
import type { FlagValues } from "./command.ts";

/**
 * The database that `--database` and the environment name, for commands that take `databaseFlag`.
 *
 * @throws {PgsluiceError} `database-url`, without the password.
 */
export function targetFromFlags(flags: FlagValues): DatabaseTarget {
  return databaseTarget({
    databaseFlag: flags.text("database"),
    databaseFlagOrigin: flags.givenBy("database")?.place,
    environment: (name) => Deno.env.get(name),
    postgresDirectory: homePaths().postgres,
  });
}
