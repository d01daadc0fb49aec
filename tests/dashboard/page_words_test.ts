import { assertEquals } from "@std/assert";
import { bannerText } from "../../src/dashboard/page/banner_text.js";
import { asSentence } from "../../src/dashboard/page/as_sentence.js";
import { faultInRaw } from "../../src/dashboard/page/fault_in_raw.js";
import { retryDelayMs } from "../../src/dashboard/page/fact_stream.js";
import { pipelineState } from "../../src/dashboard/page/pipeline_state.js";
import { plainTableName } from "../../src/dashboard/page/plain_table_name.js";
import { safeText } from "../../src/dashboard/page/safe_text.js";
import {
  formatClock,
  formatMoment,
  formatWindow,
  knownZone,
} from "../../src/dashboard/page/time_format.js";
import { escapeControls } from "../../src/escape_controls.ts";
import { wrongValue } from "../../src/schema/reject_reason.ts";
import type { Activity } from "../../src/status/activity.ts";
import { pipelineFacts, pulseFacts, totalsFacts, troubleFacts } from "./page_facts.ts";

Deno.test("control characters are shown as the command line shows them", () => {
  for (let code = 0; code < 0x3000; code++) {
    const text = `a${String.fromCharCode(code)}b`;
    assertEquals(safeText(text), escapeControls(text));
  }
  assertEquals(safeText("طلب 🎁"), "طلب 🎁");
});

Deno.test("times are told in the pipeline's zone, a window's day once if it is one", () => {
  const sinceMs = Date.UTC(2026, 2, 28, 22, 30);
  const hourMs = 3_600_000;
  assertEquals(formatClock(sinceMs, "Asia/Kolkata"), "04:00:00");
  assertEquals(formatMoment(sinceMs, "Europe/Berlin"), "28 Mar 2026, 23:30");
  const window = (lengthMs: number, zone: string) =>
    formatWindow({ sinceMs, untilMs: sinceMs + lengthMs }, zone);
  assertEquals(window(hourMs, "UTC"), "28 Mar 2026, 22:30 – 23:30 UTC");
  // an hour is missing in between
  assertEquals(
    window(4 * hourMs, "Europe/Berlin"),
    "28 Mar 2026, 23:30 – 29 Mar 2026, 04:30 Europe/Berlin",
  );
  assertEquals(formatWindow({ sinceMs: null, untilMs: null }, "UTC"), "all events");
  assertEquals(
    formatWindow({ sinceMs, untilMs: null }, "UTC"),
    "since 28 Mar 2026, 22:30 UTC",
  );
  assertEquals(
    formatWindow({ sinceMs: null, untilMs: sinceMs }, "UTC"),
    "up to 28 Mar 2026, 22:30 UTC",
  );
});

Deno.test("a zone that the browser does not know is told as what it is shown in", () => {
  assertEquals(knownZone("Mars/Olympus"), "UTC");
  assertEquals(
    formatWindow({ sinceMs: 0, untilMs: 60_000 }, "Mars/Olympus"),
    "1 Jan 1970, 00:00 – 00:01 UTC",
  );
});

Deno.test("the value that a reason complains of is found in its record, if it is one field", () => {
  const fault = { code: "bad_number", expected: "expected a number" };
  const reasonOf = (value: string) =>
    wrongValue("price", fault, new TextEncoder().encode(value)).reason;
  const found = (value: string, raw: string) => {
    const place = faultInRaw(reasonOf(value), raw);
    return place === null ? null : raw.slice(place.start, place.end);
  };
  assertEquals(found("12.554", "1,view,12.554,3"), "12.554");
  assertEquals(found('5" x', '1,view,5" x,3'), '5" x');
  assertEquals(found("7", "17,view,7,77"), "7");
  assertEquals(found("7", "7,view,7"), null);
  assertEquals(found("7", "1,view"), null);
  assertEquals(found("", "1,,2"), null);
  // cut in the reason, whole in the record
  assertEquals(found("9".repeat(60), `1,${"9".repeat(60)},2`), "9".repeat(40));
  assertEquals(faultInRaw("the record contains a NUL byte", "x"), null);
  assertEquals(faultInRaw('price is "\\u12": cut', "x"), null);
});

const QUIET = {
  isLost: false,
  trouble: null,
  pulse: null,
  totals: null,
  atMs: Date.UTC(2026, 10, 26, 18, 0),
};

function stateOf(activity: Activity, known: Partial<Parameters<typeof pipelineState>[0]> = {}) {
  const pipeline = pipelineFacts({
    activity,
    timeZone: "UTC",
    lastBatchAtMs: QUIET.atMs - 302_000,
  });
  return pipelineState({ ...QUIET, pulse: pulseFacts({ pipeline }), ...known });
}

Deno.test("the state is told in words, and what to do about it", () => {
  const told = (state: ReturnType<typeof pipelineState>) =>
    [state.word, state.sentence, state.toDo?.command ?? null, state.tone].join(" | ");
  const totals = totalsFacts({
    backlog: { files: 1, sizeBytes: 5, oldestChangeMs: 0 },
    filesByState: { failed: 2, held: 1 },
  });
  assertEquals(told(stateOf("loading")), "Loading | what arrives is committed |  | good");
  assertEquals(
    told(stateOf("caught-up")),
    "Idle | all that came is committed; nothing new since 17:54:58 UTC (5m 02s) |  | calm",
  );
  assertEquals(
    told(stateOf("nothing-yet")),
    "Idle | no file has come yet | pgsluice generate --rate 100 --out /srv/shop/data/events | calm",
  );
  assertEquals(
    told(stateOf("no-ingester", { totals })),
    "No ingester | 1 file waits for one | pgsluice ingest /srv/shop/data/events | warn",
  );
  assertEquals(
    told(stateOf("all-failed", { totals })),
    "Needs you | 2 failed and 1 held, and there is no other file | pgsluice files list | bad",
  );
  assertEquals(
    told(stateOf("stuck", { totals })),
    "Stuck | nothing is committed for 5m 02s, and 1 file waits; the ingester's log tells why |  | bad",
  );
  assertEquals(
    told(stateOf("unfinished", { totals })),
    "Idle | 1 file waits for --settle: the last record has no newline yet |  | calm",
  );
  assertEquals(told(stateOf("unseen")), "Idle | nothing is committed for 5m 02s |  | calm");
});

Deno.test("a command that is told can be typed as it stands", () => {
  const commandOf = (change: Parameters<typeof pipelineFacts>[0]) => {
    const pipeline = pipelineFacts({ activity: "no-ingester", ...change });
    return pipelineState({ ...QUIET, pulse: pulseFacts({ pipeline }) }).toDo?.command;
  };
  assertEquals(
    commandOf({ name: "at night", sourcePath: "/srv/it's $HOME" }),
    `pgsluice ingest '/srv/it'\\''s $HOME' --pipeline 'at night'`,
  );
  assertEquals(commandOf({ sourceKind: "stdin", sourcePath: "-" }), "pgsluice ingest -");
});

Deno.test("what keeps the figures from coming is told before what they say", () => {
  const pulse = pulseFacts();
  const wordOf = (known: Partial<typeof QUIET>) => pipelineState({ ...QUIET, ...known }).word;
  assertEquals(wordOf({}), "Connecting");
  const trouble = troubleFacts();
  const known = { pulse, trouble } as unknown as Partial<typeof QUIET>;
  assertEquals(wordOf({ ...known, isLost: true }), "Not connected");
  assertEquals(wordOf(known), "Database down");
  const wordOfCode = (code: string) =>
    pipelineState({ ...QUIET, trouble: troubleFacts({ code }) }).word;
  assertEquals(
    ["status-late", "database-login", "embedded-stopped"].map(wordOfCode),
    ["No answer", "Database trouble", "Database down"],
  );
  assertEquals(pipelineState({ ...QUIET, pulse: pulseFacts({ pipeline: null }) }).word, "Empty");
});

Deno.test("the banner says since when, what, what to do, and how old the figures are", () => {
  const known = {
    isLost: false,
    refusal: "unreachable" as const,
    lostAgeMs: 4_200,
    retryMs: 900,
    trouble: null,
    troubleAgeMs: 0,
    figuresAgeMs: 74_000,
    zone: "UTC",
  };
  assertEquals(bannerText(known), null);
  const sinceMs = Date.UTC(2026, 10, 26, 18, 3, 20);
  const trouble = troubleFacts({ sinceMs, message: "cannot reach it\u001b", hint: "start it" });
  assertEquals(bannerText({ ...known, trouble, troubleAgeMs: 1_499 }), null);
  assertEquals(bannerText({ ...known, trouble, troubleAgeMs: 74_000 }), {
    title: "Database down since 18:03:20 UTC (1m 14s)",
    text: "Cannot reach it\\u001b. The figures below are 1m 14s old.",
    hint: "Start it.",
  });
  assertEquals(bannerText({ ...known, isLost: true, figuresAgeMs: null }), {
    title: "Lost connection to pgsluice, trying again",
    text: "No news for 4 s; next attempt in 1 s.",
    hint:
      "If it was stopped, start it again: pgsluice dashboard. This page then goes on by itself.",
  });
  assertEquals(
    bannerText({ ...known, isLost: true, retryMs: 0, refusal: "token" })?.hint,
    "It was started anew with another token: open the address that it printed.",
  );
});

Deno.test("attempts come further and further apart, and not of all pages at once", () => {
  const longest = [1, 2, 3, 4, 5, 6, 60].map((failures) => retryDelayMs(failures, 1));
  assertEquals(longest, [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  assertEquals([retryDelayMs(1, 0), retryDelayMs(60, 0)], [375, 6_000]);
});

Deno.test("what an error says becomes a sentence", () => {
  assertEquals(["", "it broke", "Why?", "it ended."].map(asSentence), [
    "",
    "It broke.",
    "Why?",
    "It ended.",
  ]);
});

Deno.test("a table's name is told without quotes that it does not need", () => {
  assertEquals(
    ['"user_events"', '"public"."user_events"', 'public."Shop Events"', '"Events"', "a.b"]
      .map(plainTableName),
    ["user_events", "public.user_events", 'public."Shop Events"', '"Events"', "a.b"],
  );
});
