/**
 * What is the process's and not a command's: signals, stray errors, and the way from an error to an
 * exit code.
 */
import { EXIT } from "../pgsluice_error.ts";
import type { Command } from "./command.ts";
import { dispatch } from "./dispatch.ts";
import { reportError } from "./report_error.ts";
import { type ProcessTerminal, processTerminal } from "./terminal.ts";

/** Exit codes of a process that a signal ended, as shells count: 128 and its number. */
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

type StopSignal = keyof typeof SIGNAL_EXIT;

/** Why a command's signal is aborted. */
class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.name = "Interrupted";
    this.exitCode = SIGNAL_EXIT[signal];
  }
}

/** Runs the command line to its end and ends the process with its exit code. */
export async function runProcess(
  args: readonly string[],
  commands: readonly Command[],
): Promise<never> {
  const environment = (name: string) => Deno.env.get(name);
  const terminal = processTerminal(environment);
  const exitCodeOf = (error: unknown): number => {
    if (error instanceof Interrupted) return error.exitCode;
    if (terminal.stdoutClosed && error instanceof Deno.errors.BrokenPipe) return EXIT.done;
    return reportError(error, { terminal, debug: Boolean(environment("PGSLUICE_DEBUG")) });
  };
  const end = (exitCode: number): never => {
    terminal.close();
    Deno.exit(exitCode);
  };
  globalThis.addEventListener("error", (event) => end(exitCodeOf(event.error)));
  globalThis.addEventListener("unhandledrejection", (event) => end(exitCodeOf(event.reason)));
  const exitCode = await dispatch(args, {
    commands,
    terminal,
    environment,
    watchSignals: (command) => watchSignals(command, { terminal, end }),
  }).catch(exitCodeOf);
  return end(exitCode);
}

/** The first SIGINT or SIGTERM aborts what is returned, the second ends the process. */
function watchSignals(
  command: Command,
  { terminal, end }: { terminal: ProcessTerminal; end: (exitCode: number) => never },
): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      if (signal === "SIGINT" && command.interactive) return;
      if (stop.signal.aborted) end(SIGNAL_EXIT[signal]);
      terminal.say("stopping; once more to abort");
      stop.abort(new Interrupted(signal));
    });
  }
  return stop.signal;
}
