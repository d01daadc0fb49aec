import { type Check, type Finding, ok, problem, together, warning } from "./check.ts";
import type { Sql } from "../database/connect.ts";
import { askServer } from "./reach_database.ts";

interface RoleSetting {
  /** Quoted where needed; null: of all. */
  readonly role: string | null;
  readonly database: string | null;
}

/** Commits are on disk when they are told. Sessions of pgsluice say so themselves, others do not. */
export const synchronousCommitCheck: Check = {
  name: "synchronous-commit",
  async look(ground) {
    const sql = await askServer(ground);
    const [row] = await sql<{ value: string }[]>`
      select current_setting('synchronous_commit') as value`;
    if (row!.value === "off") {
      return problem(
        "it is off in pgsluice's own sessions, which ask for on: a crash of the server loses commits",
        "find what sets it after the login (a pooler, a login trigger), and take it out",
      );
    }
    const places = [...await turnedOff(sql), ...await inFile(sql)];
    if (places.length === 0) return ok("it is on, for this role and database as well");
    return together(places);
  },
};

async function turnedOff(sql: Sql): Promise<Finding[]> {
  const rows = await sql<RoleSetting[]>`
    select
      (select quote_ident(rolname) from pg_roles where oid = setrole) as role,
      (select quote_ident(datname) from pg_database where oid = setdatabase) as database
    from pg_db_role_setting
    where 'synchronous_commit=off' = any (setconfig)
      and setrole in (0, (select oid from pg_roles where rolname = current_user))
      and setdatabase in (0, (select oid from pg_database where datname = current_database()))
    order by 1, 2`;
  return rows.map(({ role, database }) => {
    const where = role === null
      ? database === null ? "role all" : `database ${database}`
      : `role ${role}${database === null ? "" : ` in database ${database}`}`;
    return elsewhere(where, `alter ${where} reset synchronous_commit`);
  });
}

/** What the server's own files say is shown to few. */
async function inFile(sql: Sql): Promise<Finding[]> {
  const [may] = await sql<{ may: boolean }[]>`
    select has_function_privilege('pg_show_all_file_settings()', 'execute') as may`;
  if (!may!.may) return [];
  const [row] = await sql<{ setting: string }[]>`
    select setting
    from pg_file_settings
    where name = 'synchronous_commit' and error is null
    order by seqno desc
    limit 1`;
  if (row?.setting !== "off") return [];
  return [elsewhere(
    "the whole server",
    "alter system set synchronous_commit = on; select pg_reload_conf()",
  )];
}

function elsewhere(where: string, remedy: string): Finding {
  return warning(
    `it is off for ${where}: pgsluice turns it on for itself, but other sessions lose commits when ` +
      "the server crashes",
    remedy,
  );
}
