/** States in which a page can be, each as what it was told on the way there. */
import {
  answer,
  dayReports,
  fileRow,
  NO_REPORTS,
  NO_TOTALS,
  NOTHING_PAST,
  pipelineFacts,
  pulseFacts,
  rejectLine,
  REPORT_COLUMNS,
  totalsFacts,
  troubleFacts,
} from "./page_facts.ts";
import type { PageServer } from "./page_server.ts";

/** Ten thousand characters, of which none must become markup. */
export const LONG_RAW =
  `</pre><img src=x onerror="document.title='owned'"><script>throw 1</script>` +
  "a,".repeat(4_970);

/** Written from right to left, turned around, beyond 16 bits, and with what commands terminals. */
export const ODD_NAME = "طلبات/\u202evsc.\u0007🎁<b>.csv";

export const PAGE_STATES: Readonly<Record<string, (server: PageServer) => void>> = {
  live(server) {
    server.tell("pulse", pulseFacts());
    server.tell("totals", totalsFacts());
    server.tell("reports", dayReports());
  },
  idle(server) {
    const atMs = Date.now();
    const lastBatchAtMs = atMs - 302_000;
    server.tell(
      "pulse",
      pulseFacts({
        atMs,
        pipeline: pipelineFacts({ activity: "caught-up", lastBatchAtMs }),
        past: NOTHING_PAST,
      }),
    );
    server.tell(
      "totals",
      totalsFacts({
        filesByState: { done: 5_970 },
        latency: null,
        backlog: { files: 0, sizeBytes: 0, oldestChangeMs: null },
        arrivedBytesPerSecond: 0,
      }),
    );
    server.tell("reports", dayReports());
  },
  "no-ingester"(server) {
    const pipeline = pipelineFacts({
      name: "nightly",
      hasOwner: false,
      activity: "no-ingester",
      sourcePath: "/srv/shop/data/it's events",
      lastBatchAtMs: Date.now() - 40_000,
    });
    server.tell("pulse", pulseFacts({ pipeline, past: NOTHING_PAST }));
    server.tell("totals", totalsFacts({ latency: null }));
    server.tell("reports", dayReports());
  },
  "no-pipeline"(server) {
    server.tell("pulse", pulseFacts({ pipeline: null, past: NOTHING_PAST }));
  },
  "other-pipelines"(server) {
    const otherNames = ["default", "nightly"];
    server.tell("pulse", pulseFacts({ pipeline: null, past: NOTHING_PAST, otherNames }));
  },
  "nothing-yet"(server) {
    const pipeline = pipelineFacts({ activity: "nothing-yet", lastBatchAtMs: null });
    server.tell("pulse", pulseFacts({ pipeline, past: NOTHING_PAST }));
    server.tell("totals", NO_TOTALS);
    server.tell("reports", NO_REPORTS);
  },
  "database-down"(server) {
    PAGE_STATES.live!(server);
    server.tell("trouble", troubleFacts());
  },
  "never-there"(server) {
    server.tell("trouble", troubleFacts({ code: "database-login" }));
  },
  "report-errors"(server) {
    PAGE_STATES.live!(server);
    const failure = {
      lookedAtMs: Date.now(),
      error: "it took longer than 5 s, and was given up",
      hint: "it is asked again within 10 minutes; the server is busy",
    };
    server.tell("reports", dayReports({ top: failure, hours: failure, files: failure }));
  },
  odd(server) {
    const pipeline = pipelineFacts({ sourcePath: `/srv/${"deep/".repeat(30)}${ODD_NAME}` });
    server.tell("pulse", pulseFacts({ pipeline }));
    server.tell("totals", totalsFacts());
    server.tell(
      "reports",
      dayReports({
        reject_lines: answer(REPORT_COLUMNS.reject_lines, [
          rejectLine(0, { file: ODD_NAME, raw: LONG_RAW, reason: 'price is "</pre>": expected' }),
          rejectLine(1, { raw: "a\u0000b\tc\r\nd\u001b[31m,طلب,🎁" }),
          rejectLine(2, { file: null, line: null, reason: null, raw: null, column: null }),
        ]),
        files: answer(REPORT_COLUMNS.files, [
          fileRow(0, { path: ODD_NAME, state: "failed", reason: LONG_RAW.slice(0, 400) }),
          fileRow(1, { path: "x".repeat(300), state: "of a later version" }),
        ]),
        // of another version: a column less, a column more, none at all
        rejects: answer(["reason", "rejects", "colour"], [["new_code", 3, "red"]]),
        batches: answer(["batch"], [[1], [2]]),
        funnel: answer(["stage", "users"], [["viewed", 5], ["<i>tried on</i>", 2]]),
      }),
    );
  },
};
