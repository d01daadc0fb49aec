import type { Command } from "../../src/cli/command.ts";
import { parseArguments } from "../../src/cli/flags.ts";

export interface CommandRun {
  readonly exitCode: number;
  /** What went to stdout. */
  readonly output: string;
  /** The live lines, in order. */
  readonly live: readonly string[];
}

/** Runs a command in this process, as the dispatcher does, on a terminal that writes down. */
export async function runCommand(
  command: Command,
  ...args: readonly string[]
): Promise<CommandRun> {
  const output: string[] = [];
  const live: string[] = [];
  const exitCode = await command.run({
    ...parseArguments(command, args, () => undefined),
    terminal: {
      write(data) {
        output.push(typeof data === "string" ? data : new TextDecoder().decode(data));
        return Promise.resolve();
      },
      say() {},
      log() {},
      live(text) {
        if (text !== null) live.push(text);
      },
      stdoutIsTerminal: false,
      stderrIsTerminal: true,
      columns: 80,
    },
    signal: new AbortController().signal,
  });
  return { exitCode, output: output.join(""), live };
}
