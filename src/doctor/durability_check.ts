import { type Check, type Finding, ok, problem, together, warning } from "./check.ts";
import { askServer } from "./reach_database.ts";

interface Setting {
  readonly name: string;
  readonly setting: string;
  readonly source: string;
}

/** What the server says is committed survives a crash of its machine. */
export const durabilityCheck: Check = {
  name: "durability",
  async look(ground) {
    const sql = await askServer(ground);
    const settings = await sql<Setting[]>`
      select name, setting, source
      from pg_settings
      where name in ('fsync', 'full_page_writes')
      order by name`;
    return together(settings.map(judge));
  },
};

function judge({ name, setting, source }: Setting): Finding {
  if (setting === "on") return ok(`${name} is on`);
  const remedy = source === "command line"
    ? `take it out of the command line that starts the server (-c ${name}=off)`
    : `as a superuser: alter system set ${name} = on; select pg_reload_conf()`;
  return name === "fsync"
    ? problem(`${name} is off: a crash of the server's machine can destroy the database`, remedy)
    : warning(
      `${name} is off: a crash of the server's machine can tear pages, unless its file system ` +
        "never does, as ZFS",
      remedy,
    );
}
