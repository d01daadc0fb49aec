import { checkTable } from "../database/check_table.ts";
import { type Check, ok, problem } from "./check.ts";
import { askDatabase } from "./reach_database.ts";

/** The table is as the events need it. */
export const tableCheck: Check = {
  name: "table",
  async look(ground) {
    const sql = await askDatabase(ground);
    const { schema, table } = ground;
    const differences = await checkTable(sql, schema, table);
    if (differences.length === 0) return ok(`${table} is as events need it`);
    if (differences.length === 1 && differences[0] === "the table does not exist") {
      return ok(`${table} is not there yet; an ingest makes it`);
    }
    return problem(
      `${table} is not one that events can be loaded into: ${differences.join("; ")}`,
      "alter it (`pgsluice setup --print` shows what is expected), rename it, or name another " +
        "with --table",
    );
  },
};
