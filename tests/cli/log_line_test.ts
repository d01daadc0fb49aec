import { assertEquals } from "@std/assert";
import { formatLogLine, isShown, type LogLine } from "../../src/cli/log_line.ts";

const AT = new Date("2026-01-02T03:04:05.678Z");
const LINE: LogLine = {
  level: "warning",
  event: "file_failed",
  message: "a.csv: failed: not_csv",
  fields: { file: "a.csv", bytes: 12 },
};

Deno.test("a line is text for people, an object for programs, and has its priority in the journal", () => {
  assertEquals(formatLogLine(LINE, { format: "text", at: AT }), LINE.message);
  assertEquals(JSON.parse(formatLogLine(LINE, { format: "json", at: AT })), {
    time: "2026-01-02T03:04:05.678Z",
    level: "warning",
    event: "file_failed",
    message: "a.csv: failed: not_csv",
    file: "a.csv",
    bytes: 12,
  });
  assertEquals(formatLogLine(LINE, { format: "journal", at: AT }), `<4>${LINE.message}`);
});

Deno.test("the text for a terminal is not for programs, and each line of several has a priority", () => {
  const line: LogLine = {
    level: "error",
    event: "failed",
    message: "it failed\nthere\n",
    text: "\x1b[31mit failed\x1b[39m",
  };
  assertEquals(formatLogLine(line, { format: "text", at: AT }), line.text);
  assertEquals(JSON.parse(formatLogLine(line, { format: "json", at: AT })).message, line.message);
  assertEquals(formatLogLine(line, { format: "journal", at: AT }), "<3>it failed\n<3>there");
});

Deno.test("a level shows what is graver", () => {
  const shown = (least: LogLine["level"]) =>
    (["error", "warning", "info", "debug"] as const).filter((level) => isShown(level, least));
  assertEquals(shown("error"), ["error"]);
  assertEquals(shown("info"), ["error", "warning", "info"]);
  assertEquals(shown("debug"), ["error", "warning", "info", "debug"]);
});
