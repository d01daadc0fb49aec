/** A line of the log: one fact, as people, programs and the journal of systemd read it. */

/** From the gravest on. */
export const LOG_LEVELS = ["error", "warning", "info", "debug"] as const;

export type LogLevel = typeof LOG_LEVELS[number];

/** `journal` is `text` with the priorities that systemd's journal takes from the line's start. */
export type LogFormat = "text" | "json" | "journal";

export interface LogLine {
  readonly level: LogLevel;
  /** The kind of fact, for programs: it stays the same when the message is worded anew. */
  readonly event: string;
  /** For people, in one line as a rule. */
  readonly message: string;
  /** As a terminal shows it, where that is not the message. */
  readonly text?: string;
  /** The facts in the message, for programs. Times are in ms, sizes in bytes. */
  readonly fields?: Readonly<Record<string, string | number | boolean | null>>;
}

/** @see sd-daemon(3) */
const PRIORITIES: Readonly<Record<LogLevel, number>> = { error: 3, warning: 4, info: 6, debug: 7 };

/** @returns without a newline at the end */
export function formatLogLine(
  line: LogLine,
  { format, at }: { format: LogFormat; at: Date },
): string {
  const { level, event, message, text = message, fields } = line;
  switch (format) {
    case "text":
      return text;
    case "json":
      return JSON.stringify({ time: at.toISOString(), level, event, message, ...fields });
    case "journal":
      return message.trimEnd().split("\n")
        .map((part) => `<${PRIORITIES[level]}>${part}`).join("\n");
  }
}

/** True if lines of this level are shown where those from `least` on are. */
export function isShown(level: LogLevel, least: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(least);
}
