import conversion from "../../sql/reports/conversion.sql" with { type: "text" };
import funnel from "../../sql/reports/funnel.sql" with { type: "text" };
import hours from "../../sql/reports/hours.sql" with { type: "text" };
import late from "../../sql/reports/late.sql" with { type: "text" };
import latency from "../../sql/reports/latency.sql" with { type: "text" };
import rejects from "../../sql/reports/rejects.sql" with { type: "text" };
import throughput from "../../sql/reports/throughput.sql" with { type: "text" };
import top from "../../sql/reports/top.sql" with { type: "text" };
import traffic from "../../sql/reports/traffic.sql" with { type: "text" };
import users from "../../sql/reports/users.sql" with { type: "text" };
import { parseReport } from "./parse_report.ts";
import type { Report } from "./report.ts";

/** What the shop does, then what the data is like, then how pgsluice does. */
const FILES: Readonly<Record<string, string>> = {
  traffic,
  hours,
  conversion,
  top,
  users,
  funnel,
  rejects,
  late,
  latency,
  throughput,
};

/** All reports by their name, in the order in which they are listed. */
export const REPORTS: ReadonlyMap<string, Report> = new Map(
  Object.entries(FILES).map(([name, file]) => [name, parseReport(name, file)]),
);
