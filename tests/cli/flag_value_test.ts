import { assertEquals } from "@std/assert";
import type { Flag, FlagKind } from "../../src/cli/command.ts";
import { expectedValue, type FlagValue, parseFlagValue } from "../../src/cli/flag_value.ts";

interface Case {
  readonly kind: FlagKind;
  readonly accepted: readonly (readonly [text: string, value: FlagValue])[];
  readonly refused: readonly string[];
}

const CASES: readonly Case[] = [
  {
    kind: "switch",
    accepted: [["true", true], ["1", true], ["false", false], ["0", false]],
    refused: ["", "yes", "TRUE", "2"],
  },
  {
    kind: "text",
    accepted: [["user_events", "user_events"], [" ", " "], ["-", "-"]],
    refused: [""],
  },
  {
    kind: "whole",
    accepted: [
      ["0", 0],
      ["500", 500],
      ["20_000", 20_000],
      ["50k", 50_000],
      ["1M", 1_000_000],
      ["1m", 1_000_000],
      ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ],
    refused: [
      "",
      "-5",
      "1.5",
      "k",
      "_1",
      "1e3",
      "0x10",
      "5 k",
      "١",
      "9007199254740992",
      "9_999_999_999_999M",
    ],
  },
  {
    kind: "percent",
    accepted: [["0", 0], ["5", 5], ["5%", 5], ["0.5%", 0.5], ["100%", 100]],
    refused: ["", "%", "-1", "100.1", "101", "5 %", "NaN"],
  },
  {
    kind: "duration",
    accepted: [
      ["250ms", 250],
      ["5s", 5_000],
      ["1.5s", 1_500],
      ["2m", 120_000],
      ["1h", 3_600_000],
      ["30d", 2_592_000_000],
    ],
    refused: ["", "5", "s", "-5s", "5S", "5 s", "1D", "1w", "1h30m"],
  },
  {
    kind: "bytes",
    accepted: [
      ["1000", 1_000],
      ["10B", 10],
      ["64KiB", 65_536],
      ["4MiB", 4_194_304],
      ["1GiB", 1_073_741_824],
    ],
    refused: ["", "64K", "64kb", "1.5MiB", "-1", "MiB", "9007199254740991GiB"],
  },
  {
    kind: "moment",
    accepted: [["1h", "1h"], ["30d", "30d"], ["2025-01-31", "2025-01-31"], [
      "2025-01-31T08:00+02:00",
      "2025-01-31T08:00+02:00",
    ]],
    refused: ["", "yesterday", "1w", "-1h", "2025-02-30", "1738310400"],
  },
  {
    kind: "instant",
    accepted: [
      ["2025-01-31", Date.UTC(2025, 0, 31)],
      ["2025-01-31T08:00", Date.UTC(2025, 0, 31, 8)],
      ["2025-01-31 08:00:30", Date.UTC(2025, 0, 31, 8, 0, 30)],
      ["2025-01-31T08:00:00Z", Date.UTC(2025, 0, 31, 8)],
      ["2025-01-31T08:00:00.250Z", Date.UTC(2025, 0, 31, 8, 0, 0, 250)],
      ["2025-01-31T08:00+02:00", Date.UTC(2025, 0, 31, 6)],
    ],
    refused: [
      "",
      "yesterday",
      "2025-02-30",
      "2025-01-31T25:00",
      "2025-01-31T08:00[Europe/Berlin]",
      "1738310400",
      "31.01.2025",
    ],
  },
];

for (const { kind, accepted, refused } of CASES) {
  const flag: Flag = { name: "flag", kind, summary: "" };
  Deno.test(`a ${kind} flag takes its documented spellings and refuses others`, () => {
    for (const [text, value] of accepted) {
      assertEquals(parseFlagValue(flag, text), value, JSON.stringify(text));
    }
    for (const text of refused) {
      assertEquals(parseFlagValue(flag, text), undefined, JSON.stringify(text));
    }
  });
}

Deno.test("a flag with choices takes those alone and names them", () => {
  const flag: Flag = { name: "on", kind: "text", choices: ["hold", "reload"], summary: "" };
  assertEquals(parseFlagValue(flag, "reload"), "reload");
  assertEquals(parseFlagValue(flag, "Reload"), undefined);
  assertEquals(expectedValue(flag), "one of hold, reload");
});
