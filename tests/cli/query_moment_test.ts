import { assertEquals } from "@std/assert";
import { parseMoment } from "../../src/cli/moment.ts";

Deno.test("a moment is a duration before something", () => {
  assertEquals(parseMoment("1h"), { kind: "ago", durationMs: 3_600_000 });
  assertEquals(parseMoment("30d"), { kind: "ago", durationMs: 2_592_000_000 });
});

Deno.test("a moment is an instant, local unless it says otherwise", () => {
  const cases: readonly (readonly [text: string, utc: string])[] = [
    ["2026-03-14", "2026-03-13T23:00:00Z"],
    ["2026-03-14T10:00", "2026-03-14T09:00:00Z"],
    ["2026-03-14 10:00:30", "2026-03-14T09:00:30Z"],
    ["2026-07-14T10:00", "2026-07-14T08:00:00Z"],
    ["2026-03-14T10:00Z", "2026-03-14T10:00:00Z"],
    ["2026-03-14 10:00+05:30", "2026-03-14T04:30:00Z"],
    ["2026-10-25T02:30", "2026-10-25T00:30:00Z"],
  ];
  for (const [text, utc] of cases) {
    const moment = parseMoment(text);
    const ms = moment?.kind === "instant" ? moment.at("Europe/Berlin") : null;
    assertEquals(ms, Date.parse(utc), text);
  }
});

Deno.test("what is no moment is refused", () => {
  const texts = ["", "yesterday", "1w", "-1h", "2026-02-30", "14.03.2026", "1773446400"];
  for (const text of [...texts, "2026-03-14T10:00[Europe/Berlin]"]) {
    assertEquals(parseMoment(text), undefined, text);
  }
});
