/** `psql \copy` of one file after the other, in one session. */
import { csvHeader } from "../../src/schema/schema_help.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import type { BenchPlace } from "./bench_place.ts";
import type { Dataset } from "./datasets.ts";
import { whyNotInstalled } from "./why_not_installed.ts";
import type { Loader } from "./loader.ts";
import { TABLE } from "./target_table.ts";
import { runProcess } from "./watched_process.ts";

export const psqlCopy: Loader = {
  name: "psql \\copy",
  missing: () => whyNotInstalled("psql", ["--version"]),
  async load(place: BenchPlace, data: Dataset) {
    const columns = csvHeader(USER_EVENTS).join(", ");
    const copies = data.files.flatMap((path) => [
      "-c",
      `\\copy ${TABLE} (${columns}) from '${path}' csv header`,
    ]);
    return await runProcess("psql", {
      args: ["-X", "-q", "-v", "ON_ERROR_STOP=1", ...copies, place.database.url],
    });
  },
};
