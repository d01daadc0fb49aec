/** The files of `sql/reports` as psql runs them, and what pgsluice makes of them. */
import { assertEquals } from "@std/assert";
import { parse } from "@std/csv";
import { fromFileUrl } from "@std/path";
import type { ReportColumn, ReportValue } from "../../src/query/report.ts";
import { REPORTS } from "../../src/query/reports.ts";
import { shopCase } from "./shop.ts";

const FOLDER = fromFileUrl(new URL("../../sql/reports/", import.meta.url));

const hasPsql = await new Deno.Command("psql", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);
if (!hasPsql) console.warn("there is no psql on the PATH: reports are not run with it");

shopCase(
  "each report's file runs in psql, and answers what pgsluice does",
  async ({ ask, place, pipeline }) => {
    for (const report of REPORTS.values()) {
      for (const by of report.groupings.length > 0 ? report.groupings : [undefined]) {
        const answer = await ask(report.name, { ...(by !== undefined && { by }) });
        const bound = (ms: number | null, open: string) =>
          ms === null ? open : new Date(ms).toISOString();
        const variables = {
          table: pipeline.targetTable,
          pipeline_id: pipeline.pipelineId,
          time_zone: pipeline.timeZone,
          by: by ?? "",
          since: bound(answer.window.sinceMs, "-infinity"),
          until: bound(answer.window.untilMs, "infinity"),
        };
        const [names, ...rows] = await psql(
          place.database.url,
          `${FOLDER}${report.name}.sql`,
          variables,
        );
        assertEquals(names, report.columns.map(({ name }) => name), report.name);
        const places = report.columns.flatMap(({ onlyBy }, place) =>
          onlyBy === undefined || onlyBy === by ? [place] : []
        );
        assertEquals(
          rows.map((row) => places.map((place, at) => asNumber(row[place]!, answer.columns[at]!))),
          answer.rows.map((row) => row.map((value, at) => comparable(value, answer.columns[at]!))),
          `${report.name} by ${by}`,
        );
      }
    }
  },
  { ignore: !hasPsql },
);

async function psql(
  url: string,
  path: string,
  variables: Readonly<Record<string, string | number>>,
): Promise<string[][]> {
  const { success, stdout, stderr } = await new Deno.Command("psql", {
    args: [
      ...["-X", "-q", "--csv", "-v", "ON_ERROR_STOP=1"],
      ...Object.entries(variables).flatMap(([name, value]) => ["-v", `${name}=${value}`]),
      ...["-f", path, url],
    ],
  }).output();
  if (!success) throw new Error(`${path}: ${new TextDecoder().decode(stderr)}`);
  return parse(new TextDecoder().decode(stdout)) as string[][];
}

/** Numbers and texts are compared; times and raw bytes each show in their own way. */
function asNumber(text: string, column: ReportColumn): ReportValue {
  if (column.unit === "time" || column.unit === "date" || column.name === "last_record") return "";
  if (text === "" || column.unit === "text" || column.unit === "money") return text;
  return column.unit === "ms" ? Math.round(Number(text) * 1000) / 1000 : Number(text);
}

function comparable(value: ReportValue, column: ReportColumn): ReportValue {
  if (column.unit === "time" || column.unit === "date" || column.name === "last_record") return "";
  return value ?? "";
}
