import { type Check, ok, problem } from "./check.ts";
import { askServer } from "./reach_database.ts";

/** The server takes writes: it is no standby, and the session is not read-only. */
export const writableCheck: Check = {
  name: "writable",
  async look(ground) {
    const sql = await askServer(ground);
    const [row] = await sql<{ isStandby: boolean; isReadOnly: boolean; role: string }[]>`
      select
        pg_is_in_recovery() as "isStandby",
        current_setting('default_transaction_read_only')::boolean as "isReadOnly",
        quote_ident(current_user) as role`;
    const { isStandby, isReadOnly, role } = row!;
    if (isStandby) {
      return problem(
        "the server is a standby, and takes no writes",
        "name the primary with --database, or promote this one: select pg_promote()",
      );
    }
    if (isReadOnly) {
      return problem(
        "sessions here are read-only (default_transaction_read_only)",
        `alter role ${role} reset default_transaction_read_only; it may as well be set for the ` +
          "database, or in the server's configuration",
      );
    }
    return ok("it takes writes");
  },
};
