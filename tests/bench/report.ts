import { renderTable } from "../../src/cli/render_table.ts";
import type { BenchRow } from "./bench_row.ts";

export function reportTable(rows: readonly BenchRow[]): string {
  return renderTable({
    columns: ["what", "goal", "measured", "ratio", "baseline", "met"].map((header) => ({
      header,
      align: "left",
    })),
    rows: rows.map((row) => [
      row.name,
      row.goal,
      row.figure,
      row.ratio ?? "",
      row.baseline ?? "",
      verdict(row),
    ]),
  });
}

function verdict({ goal, met, isSkipped }: BenchRow): string {
  if (isSkipped) return "skipped";
  if (goal === "") return "";
  return met ? "yes" : "no";
}
