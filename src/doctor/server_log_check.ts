import { type Check, type Finding, ok, together, warning } from "./check.ts";
import { formatSize } from "./format_size.ts";
import { askServer } from "./reach_database.ts";

interface Slot {
  readonly name: string;
  readonly keptBytes: number;
}

interface Archiver {
  readonly failed: number;
  readonly isFailing: boolean;
}

/** Nothing keeps the server's write-ahead log from being removed, until its disk is full. */
export const serverLogCheck: Check = {
  name: "server-log",
  async look(ground) {
    const sql = await askServer(ground);
    const slots = await sql<Slot[]>`
      select
        quote_literal(slot_name) as name,
        pg_wal_lsn_diff(
          case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
          restart_lsn
        )::float8 as "keptBytes"
      from pg_replication_slots
      where not active
        and restart_lsn is not null
        and current_setting('max_slot_wal_keep_size') = '-1'
      order by 1`;
    const [archiver] = await sql<Archiver[]>`
      select
        failed_count::float8 as failed,
        current_setting('archive_mode') <> 'off'
          and coalesce(last_failed_time > last_archived_time, last_failed_time is not null)
          as "isFailing"
      from pg_stat_archiver`;
    const findings = [...slots.map(judgeSlot), ...judgeArchiver(archiver)];
    if (findings.length === 0) return ok("nothing holds up the server's log");
    return together(findings);
  },
};

function judgeSlot({ name, keptBytes }: Slot): Finding {
  return warning(
    `replication slot ${name} is not in use and keeps ${formatSize(keptBytes)} of the server's ` +
      "log, and all that is written from here on, until the disk is full",
    `start its reader, or drop it: select pg_drop_replication_slot(${name})`,
  );
}

function judgeArchiver(archiver: Archiver | undefined): Finding[] {
  if (archiver?.isFailing !== true) return [];
  return [warning(
    `archiving of the server's log fails (${archiver.failed} times so far), so that it is kept ` +
      "until the disk is full",
    "mend archive_command; the server's log says what fails: grep 'archive command' in it",
  )];
}
