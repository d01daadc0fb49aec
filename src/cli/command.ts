/** What a subcommand is. Flags, help and parsing all come from these tables. */

import type { LogLine } from "./log_line.ts";

/** How a flag's text becomes a value; each has one parser, in `flag_value.ts`. */
export type FlagKind =
  | "switch" // true when present
  | "text"
  | "whole" // a whole number >= 0, `_` and suffixes k, M accepted
  | "percent" // "5" or "5%", 0 to 100, kept as the number before the sign
  | "duration" // "250ms", "5s", "2m", "1h", "30d"; milliseconds
  | "bytes" // "64KiB", "4MiB", "1000"; bytes
  | "moment" // a duration, or a date or date and time; the text as it is, for `parseMoment`
  | "instant"; // ISO 8601 date or date and time, UTC unless it names a zone; epoch milliseconds

export interface Flag {
  /**
   * Without the leading dashes; `--name`. Its environment variable is `PGSLUICE_NAME`, and its key
   * in a configuration file the name itself.
   */
  readonly name: string;
  readonly kind: FlagKind;
  /**
   * Shown in help after the name, as in `--events N`. Absent for switches. Alternatives are
   * separated by `|`; FILE and DIR are completed by the shell, and words of lower case as they are.
   */
  readonly placeholder?: string;
  /** One line. */
  readonly summary: string;
  /** Shown in help; the value itself is applied by the command. */
  readonly defaultText?: string;
  /** The values accepted, for a `text` flag. */
  readonly choices?: readonly string[];
}

/** How a flag's value was given. */
export interface GivenBy {
  readonly source: "flag" | "environment" | "file";
  /** As people find it: `--table`, `PGSLUICE_TABLE`, or `pgsluice.json:3` with the line. */
  readonly place: string;
  /** As it was written there. A database's URL may hold a password. */
  readonly text: string;
}

/**
 * The values given, by flag, environment or configuration file. A wrong type or an undeclared name
 * is a TypeError.
 */
export interface FlagValues {
  /** True if the switch was given. */
  switch(name: string): boolean;
  text(name: string): string | undefined;
  /** Value of a whole, percent, duration (ms), bytes or instant (epoch ms) flag. */
  number(name: string): number | undefined;
  /** Undefined where nobody gave it, and the command's default holds. */
  givenBy(name: string): GivenBy | undefined;
}

/** The process as a command sees it, so that tests can stand in for a terminal. */
export interface Terminal {
  /**
   * Data, complete and in the order of the calls. Rejects with `Deno.errors.BrokenPipe` when the
   * reader has gone, which the dispatcher ends quietly if the command lets it pass.
   */
  write(data: string | Uint8Array): Promise<void>;
  /** Talk: one or more whole lines on stderr, unless `--quiet`. Never throws. */
  say(text: string): void;
  /** A fact, in the form that `--log-format` names; under `--quiet` only errors. Never throws. */
  log(line: LogLine): void;
  /**
   * Shows `text` as the live last line of stderr, in place of the one before; null clears it.
   * Does nothing when stderr is not a terminal or under `--quiet`.
   */
  live(text: string | null): void;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Columns of the terminal, 80 where there is none. */
  readonly columns: number;
}

export interface CommandContext {
  readonly flags: FlagValues;
  readonly positionals: readonly string[];
  /** The other command that a command with `subject` is asked about. */
  readonly subject?: Command;
  readonly terminal: Terminal;
  /**
   * Aborted by the first SIGINT or SIGTERM: stop taking in work, finish what is open. A command
   * that cannot finish lets the signal's reason pass, and the process ends as interrupted.
   */
  readonly signal: AbortSignal;
}

export interface Command {
  /** One word; or two for a command of a group, as in `db start`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What may follow the name, as in `[DIR|-]`. */
  readonly positionalsText?: string;
  /** At most so many positionals; 0 unless given. */
  readonly maxPositionals?: number;
  /**
   * The flag that a single positional is another way to write, so that a variable or a
   * configuration file can say it as well. It is then no positional for the command.
   */
  readonly positionalFlag?: string;
  /**
   * It is about another command, which its first argument names (this one unless it does), and
   * takes that command's flags as well.
   */
  readonly subject?: string;
  /** Own flags; the common ones it takes are spread in from `common_flags.ts`. */
  readonly flags: readonly Flag[];
  /** Paragraphs and examples after the flags; a function where they cost an import to make. */
  readonly details?: string | (() => Promise<string>);
  /** Hands the terminal to a child process, whose Ctrl-C is then its own: SIGINT is ignored. */
  readonly interactive?: boolean;
  /** @returns the exit code. Faults are thrown as `PgsluiceError`. */
  run(context: CommandContext): Promise<number>;
}
