/** `pgsluice status --watch`: a screen on a terminal, lines elsewhere, until it is told to stop. */
import { bold, gray, red } from "@std/fmt/colors";
import { EXIT } from "../pgsluice_error.ts";
import { pause } from "../pause.ts";
import { StatusWatch } from "../status/status_watch.ts";
import type { CommandContext, Terminal } from "./command.ts";
import { targetFromFlags } from "./database_option.ts";
import { checkpointsDirectory } from "./journal_place.ts";
import { frameLines, type ScreenSize } from "./status_watch_frame.ts";
import { jsonLines, textLines } from "./status_watch_line.ts";
import type { ScreenLine, Tone } from "./status_watch_pipeline.ts";
import { Screen } from "./status_watch_screen.ts";
import { usageError } from "./usage_error.ts";

const DEFAULT_INTERVAL_MS = 1_000;
/** Nobody sees more, and it would cost the database what is the ingester's. */
const LEAST_INTERVAL_MS = 100;

const PAINT: Readonly<Record<Tone, (text: string) => string>> = {
  head: bold,
  plain: (text) => text,
  dim: gray,
  notice: bold,
  alarm: red,
};

/** Shows what there is to show now. */
interface Display {
  show(): Promise<void>;
  /** Never rejects. */
  close(): Promise<void>;
}

export async function watchStatus({ flags, terminal, signal }: CommandContext): Promise<number> {
  const intervalMs = flags.number("interval") ?? DEFAULT_INTERVAL_MS;
  if (intervalMs < LEAST_INTERVAL_MS) {
    throw usageError(`--interval: expected ${LEAST_INTERVAL_MS}ms or more`, "as in --interval 2s");
  }
  const pipeline = flags.text("pipeline");
  const isDrawn = terminal.stdoutIsTerminal && !flags.switch("json") &&
    Deno.env.get("TERM") !== "dumb";
  const watch = new StatusWatch({
    target: targetFromFlags(flags),
    checkpointsDirectory: checkpointsDirectory(flags),
    intervalMs,
    // it would be written across the screen
    say: isDrawn ? () => {} : (text) => terminal.say(text),
    ...(pipeline !== undefined && { pipeline }),
  });
  try {
    // what is wrong from the start is told as by every command
    await Promise.race([watch.look(), aborted(signal)]);
    const display = isDrawn
      ? await openScreen(watch, { terminal, intervalMs })
      : lineDisplay(watch, { terminal, isJson: flags.switch("json") });
    try {
      await showUntilAborted(watch, { display, intervalMs, signal });
    } finally {
      await display.close();
    }
  } finally {
    await watch.close();
  }
  return EXIT.done;
}

/** A look that takes longer than the interval goes on, while its age is shown. */
async function showUntilAborted(
  watch: StatusWatch,
  { display, intervalMs, signal }: { display: Display; intervalMs: number; signal: AbortSignal },
): Promise<void> {
  let looking: Promise<void> | null = null;
  let tick = pause(intervalMs, signal);
  while (!signal.aborted) {
    await display.show();
    await tick;
    if (signal.aborted) return;
    tick = pause(intervalMs, signal);
    looking ??= watch.look().then(() => {
      looking = null;
    });
    await Promise.race([looking, tick]);
  }
}

function lineDisplay(
  watch: StatusWatch,
  { terminal, isJson }: { terminal: Terminal; isJson: boolean },
): Display {
  return {
    async show() {
      const lines = (isJson ? jsonLines : textLines)(watch.view(), Date.now());
      if (lines !== "") await terminal.write(lines);
    },
    close: () => Promise.resolve(),
  };
}

async function openScreen(
  watch: StatusWatch,
  { terminal, intervalMs }: { terminal: Terminal; intervalMs: number },
): Promise<Display> {
  const screen = new Screen({
    terminal,
    writeNow: (text) => Deno.stdout.writeSync(new TextEncoder().encode(text)),
  });
  const show = async () => {
    const lines = frameLines(watch.view(), { size: screenSize(), intervalMs });
    await screen.draw(lines.map(paint));
  };
  // what goes wrong here goes wrong again with the next picture
  const showAgain = () => void show().catch(() => {});
  const stop = () => {
    screen.leaveNow();
    Deno.kill(Deno.pid, "SIGSTOP");
  };
  const goOn = () => void screen.enter().then(show).catch(() => {});
  const heard: readonly (readonly [Deno.Signal, () => void])[] = Deno.build.os === "windows"
    ? []
    : [
      ["SIGWINCH", showAgain],
      ["SIGTSTP", stop],
      ["SIGCONT", goOn],
    ];
  for (const [signal, listener] of heard) Deno.addSignalListener(signal, listener);
  await screen.enter();
  return {
    show,
    async close() {
      for (const [signal, listener] of heard) Deno.removeSignalListener(signal, listener);
      await screen.leave();
    },
  };
}

function paint({ text, tone }: ScreenLine): string {
  return PAINT[tone](text);
}

function screenSize(): ScreenSize {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, rows: rows || 24 };
  } catch {
    return { columns: 80, rows: 24 };
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
