import { type Check, type Finding, ok, problem, together, warning } from "./check.ts";
import { askServer } from "./reach_database.ts";

interface Limits {
  readonly most: number;
  readonly reserved: number;
  readonly used: number;
  readonly role: string;
  readonly roleLimit: number;
  readonly roleUsed: number;
  readonly isSuperuser: boolean;
  readonly database: string;
  readonly databaseLimit: number;
  readonly databaseUsed: number;
}

/** Besides those that carry batches: the owner's lock, the ledger, and the sums by minute. */
const OWN_CONNECTIONS = 3;

/** The server has connections left for an ingest. */
export const connectionsCheck: Check = {
  name: "connections",
  async look(ground) {
    const sql = await askServer(ground);
    const [row] = await sql<Limits[]>`
      select
        current_setting('max_connections')::int as most,
        current_setting('superuser_reserved_connections')::int +
          coalesce(current_setting('reserved_connections', true)::int, 0) as reserved,
        (select sum(numbackends)::int - 1 from pg_stat_database) as used,
        quote_ident(rolname) as role,
        rolconnlimit as "roleLimit",
        (
          select count(*)::int - 1
          from pg_stat_activity
          where usesysid = pg_roles.oid
        ) as "roleUsed",
        rolsuper as "isSuperuser",
        quote_ident(datname) as database,
        datconnlimit as "databaseLimit",
        (
          select numbackends - 1
          from pg_stat_database
          where datid = pg_database.oid
        ) as "databaseUsed"
      from pg_roles, pg_database
      where rolname = current_user and datname = current_database()`;
    return judge(row!, ground.connections);
  },
};

function judge(limits: Limits, connections: number): Finding {
  const { role, roleLimit, roleUsed, database, databaseLimit, databaseUsed } = limits;
  const most = limits.most - (limits.isSuperuser ? 0 : limits.reserved);
  const left = (of: number, used: number) => Math.max(0, of - used);
  const wanted = { connections };
  const findings = [judgeOne({
    ...wanted,
    left: left(most, limits.used),
    of: `the server's ${most}`,
    remedy: `alter system set max_connections = ${limits.most * 2}, and restart it`,
  })];
  // superusers pass these limits
  if (roleLimit >= 0 && !limits.isSuperuser) {
    findings.push(judgeOne({
      ...wanted,
      left: left(roleLimit, roleUsed),
      of: `the ${roleLimit} of role ${role}`,
      remedy: `alter role ${role} connection limit -1`,
    }));
  }
  if (databaseLimit >= 0 && !limits.isSuperuser) {
    findings.push(judgeOne({
      ...wanted,
      left: left(databaseLimit, databaseUsed),
      of: `the ${databaseLimit} of database ${database}`,
      remedy: `alter database ${database} connection limit -1`,
    }));
  }
  return together(findings);
}

function judgeOne(
  { connections, left, of, remedy }: {
    connections: number;
    left: number;
    of: string;
    remedy: string;
  },
): Finding {
  const needed = connections + OWN_CONNECTIONS;
  const found = `${left} of ${of} connections are left, an ingest takes up to ${needed}`;
  if (left >= needed) return ok(found);
  const fewest = OWN_CONNECTIONS + 1;
  if (left < fewest) return problem(found, `end other sessions, or ${remedy}`);
  return warning(found, `pgsluice ingest --connections ${left - OWN_CONNECTIONS}, or ${remedy}`);
}
