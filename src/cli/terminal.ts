/**
 * The process's stdout and stderr.
 *
 * Invariants: what `write` was given reaches stdout whole and in order; stderr holds whole lines,
 * and below them at most one live line, which is erased before anything else is written to the
 * terminal and is gone after `close`.
 */
import { setColorEnabled, stripAnsiCode } from "@std/fmt/colors";
import { PgsluiceError } from "../pgsluice_error.ts";
import { blockingOutput, type Output } from "./blocking_output.ts";
import type { Terminal } from "./command.ts";
import { fitWidth } from "./fit_width.ts";
import { formatLogLine, isShown, type LogFormat, type LogLevel, type LogLine } from "./log_line.ts";

/** A live line changes at most so often: more cannot be read and costs the loader time. */
const LIVE_INTERVAL_MS = 100;

const ENCODER = new TextEncoder();

export interface ProcessTerminalOptions {
  readonly stdout: Pick<Output, "write">;
  readonly stderr: Pick<Output, "writeSync">;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Systemd's journal reads it. */
  readonly stderrIsJournal?: boolean;
  /** Columns of the terminal now. */
  readonly columns: () => number;
}

export class ProcessTerminal implements Terminal {
  /** Silences `live` and all lines but errors, for `--quiet`. */
  quiet = false;
  logFormat: LogFormat;
  logLevel: LogLevel = "info";
  /** True once a write found that the reader of stdout has gone. */
  stdoutClosed = false;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  readonly #options: ProcessTerminalOptions;
  /** Settles, and never rejects, when all writes so far have ended. */
  #written: Promise<void> = Promise.resolve();
  #liveText: string | null = null;
  #liveIsShown = false;
  /** Runs while the live line has been drawn too recently to be drawn again. */
  #liveTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(options: ProcessTerminalOptions) {
    this.#options = options;
    this.stdoutIsTerminal = options.stdoutIsTerminal;
    this.stderrIsTerminal = options.stderrIsTerminal;
    this.logFormat = options.stderrIsJournal ? "journal" : "text";
  }

  get columns(): number {
    return this.#options.columns();
  }

  /** @throws {PgsluiceError} `output` if stdout cannot take it for another reason than its reader. */
  write(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? ENCODER.encode(data) : data;
    const done = this.#written.then(() => this.#writeAll(bytes));
    this.#written = done.catch(() => {});
    return done;
  }

  say(text: string): void {
    this.log({ level: "info", event: "note", message: text });
  }

  log(line: LogLine): void {
    if (!isShown(line.level, this.quiet ? "error" : this.logLevel)) return;
    this.#talk(formatLogLine(line, { format: this.logFormat, at: new Date() }));
  }

  /** Talk that `--quiet` does not silence. */
  sayError(text: string): void {
    this.log({ level: "error", event: "usage", message: text });
  }

  live(text: string | null): void {
    if (this.quiet || !this.stderrIsTerminal) return;
    this.#liveText = text;
    if (text === null) this.#eraseLive();
    else if (this.#liveTimer === null) this.#drawLive();
  }

  /** Erases the live line for good. May be called twice. */
  close(): void {
    this.live(null);
    if (this.#liveTimer !== null) clearTimeout(this.#liveTimer);
    this.#liveTimer = null;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    if (this.stdoutIsTerminal) this.#eraseLive();
    try {
      for (let offset = 0; offset < bytes.length;) {
        offset += await this.#options.stdout.write(bytes.subarray(offset));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw outputError(error);
      this.stdoutClosed = true;
      throw error;
    }
  }

  #talk(text: string): void {
    this.#eraseLive();
    this.#writeTalk(text.endsWith("\n") ? text : `${text}\n`);
    if (this.#liveText !== null) this.#drawLive();
  }

  #drawLive(): void {
    const columns = this.columns - 1; // the last column wraps on some terminals
    const text = this.#liveText ?? "";
    const plain = stripAnsiCode(text);
    const fitting = fitWidth(plain, columns);
    this.#writeTalk(`\r\x1b[2K${fitting === plain ? text : fitting}`);
    this.#liveIsShown = true;
    if (this.#liveTimer !== null) clearTimeout(this.#liveTimer);
    this.#liveTimer = setTimeout(() => {
      this.#liveTimer = null;
      if (this.#liveText !== null && this.#liveText !== text) this.#drawLive();
    }, LIVE_INTERVAL_MS);
    Deno.unrefTimer(this.#liveTimer);
  }

  #eraseLive(): void {
    if (!this.#liveIsShown) return;
    this.#liveIsShown = false;
    this.#writeTalk("\r\x1b[2K");
  }

  #writeTalk(text: string): void {
    const bytes = ENCODER.encode(text);
    try {
      for (let offset = 0; offset < bytes.length;) {
        offset += this.#options.stderr.writeSync(bytes.subarray(offset));
      }
    } catch {
      // nobody is left to be told
    }
  }
}

/** The terminal of this process. Switches colours off where they would not be seen as such. */
export function processTerminal(
  environment: (name: string) => string | undefined,
): ProcessTerminal {
  const dumb = environment("TERM") === "dumb";
  const stdoutIsTerminal = Deno.stdout.isTerminal();
  const stderrIsTerminal = Deno.stderr.isTerminal() && !dumb;
  setColorEnabled(stdoutIsTerminal && stderrIsTerminal && !environment("NO_COLOR"));
  return new ProcessTerminal({
    stdout: blockingOutput(1),
    stderr: blockingOutput(2),
    stdoutIsTerminal,
    stderrIsTerminal,
    stderrIsJournal: stderrIsJournal(environment("JOURNAL_STREAM")),
    columns: consoleColumns,
  });
}

/** @param stream `JOURNAL_STREAM`: device and inode, as in `8:12345`, see systemd.exec(5) */
function stderrIsJournal(stream: string | undefined): boolean {
  if (!stream) return false;
  try {
    const { dev, ino } = Deno.statSync("/dev/stderr");
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

function consoleColumns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80; // no terminal
  }
}

function outputError(cause: unknown): PgsluiceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PgsluiceError("output", `cannot write to standard output: ${reason}`, {
    hint: "free space, or send the output elsewhere",
    cause,
  });
}
