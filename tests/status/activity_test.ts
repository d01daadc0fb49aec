import { assertEquals } from "@std/assert";
import { activityText } from "../../src/cli/status_watch_facts.ts";
import { type Activity, activityOf } from "../../src/status/activity.ts";
import type { FolderStanding, PipelinePicture } from "../../src/status/watch_picture.ts";
import { AT_MS, pipelinePicture, TOTALS } from "./picture_fixture.ts";

const NO_BACKLOG: FolderStanding = {
  lookedAtMs: AT_MS - 100,
  backlog: { files: 0, sizeBytes: 0, oldestChangeMs: null },
  backlogUnknown: null,
  arrivedBytes: 90,
  isUnfinished: false,
};
const OLD_BACKLOG: FolderStanding = {
  ...NO_BACKLOG,
  backlog: { files: 2, sizeBytes: 90, oldestChangeMs: AT_MS - 60_000 },
};
const LONG_AGO_MS = AT_MS - 65_000;

const CASES: readonly (readonly [Activity, string, Partial<PipelinePicture>])[] = [
  ["loading", "loading", { lastBatchAtMs: AT_MS - 1_000, hasOwner: false }],
  ["caught-up", "idle: nothing new since 10:21:26 (1m 05s)", { folder: NO_BACKLOG }],
  ["nothing-yet", "idle: no file has come yet", { folder: NO_BACKLOG, lastBatchAtMs: null }],
  ["no-ingester", "idle: no ingester is running", { folder: NO_BACKLOG, hasOwner: false }],
  ["no-ingester", "idle: no ingester is running; 2 files wait", {
    folder: OLD_BACKLOG,
    hasOwner: false,
  }],
  [
    "all-failed",
    "idle: 2 failed and 1 held, and there is no other file; see `pgsluice files list`",
    {
      folder: NO_BACKLOG,
      lastBatchAtMs: null,
      totals: { ...TOTALS, filesByState: { failed: 2, held: 1, superseded: 4 } },
    },
  ],
  ["unfinished", "idle: 2 files wait for --settle: the last record has no newline yet", {
    folder: { ...OLD_BACKLOG, isUnfinished: true },
  }],
  [
    "stuck",
    "stuck: nothing is committed for 1m 05s, and 2 files wait; the ingester's log tells why",
    { folder: OLD_BACKLOG },
  ],
  ["loading", "loading", {
    folder: { ...OLD_BACKLOG, backlog: { files: 1, sizeBytes: 9, oldestChangeMs: AT_MS - 500 } },
  }],
  // what waited before the last batch may be what it has committed
  ["unseen", "idle: nothing is committed for 1m 05s", {
    folder: { ...OLD_BACKLOG, lookedAtMs: LONG_AGO_MS - 1 },
  }],
  ["unseen", "idle: nothing is committed yet", {
    folder: { ...NO_BACKLOG, backlog: null, backlogUnknown: "a stream" },
    lastBatchAtMs: null,
  }],
];

for (const [expected, text, change] of CASES) {
  Deno.test(`a watched pipeline tells why: ${expected}: ${text}`, { permissions: "none" }, () => {
    const pipeline = pipelinePicture({ lastBatchAtMs: LONG_AGO_MS, ...change });
    assertEquals(activityOf(pipeline, AT_MS), expected);
    assertEquals(activityText(pipeline, AT_MS), text);
  });
}
