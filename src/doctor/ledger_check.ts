import { MIGRATIONS } from "../database/migrate.ts";
import { type Check, ok, problem, warning } from "./check.ts";
import { askDatabase } from "./reach_database.ts";

/** The ledger is of a form that this pgsluice knows, or can be brought to it. */
export const ledgerCheck: Check = {
  name: "ledger",
  async look(ground) {
    const sql = await askDatabase(ground);
    // `to_regclass` fails without the right to use the schema
    const [table] = await sql<{ isOwner: boolean }[]>`
      select pg_has_role(relowner, 'usage') as "isOwner"
      from pg_class
      where relname = 'migrations'
        and relnamespace = (select oid from pg_namespace where nspname = 'pgsluice')`;
    if (table === undefined) return ok("there is none yet; an ingest makes it");
    const [row] = await sql<{ number: number | null }[]>`
      select max(number) as number from pgsluice.migrations`;
    const number = row?.number ?? 0;
    const newest = MIGRATIONS.length;
    if (number === newest) return ok(`it is of this version (migration ${number})`);
    if (number > newest) {
      return problem(
        `it is of a newer pgsluice: migration ${number}, and the newest known here is ${newest}`,
        "use that pgsluice, or a newer one",
      );
    }
    const pending = MIGRATIONS.slice(number).map(({ name }) => name).join(", ");
    return table.isOwner
      ? warning(`migrations are pending: ${pending}`, "pgsluice setup; an ingest does it as well")
      : problem(
        `migrations are pending, and this user does not own the ledger: ${pending}`,
        "let its owner run `pgsluice setup` once",
      );
  },
};
