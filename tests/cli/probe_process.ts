/** A process with the real shell around commands that end in every way a command can. */
import type { Command } from "../../src/cli/command.ts";
import { jsonFlag, quietFlag } from "../../src/cli/common_flags.ts";
import { runProcess } from "../../src/cli/run_process.ts";
import { EXIT, PgsluiceError } from "../../src/pgsluice_error.ts";

function probe(name: string, run: Command["run"]): Command {
  return { name, summary: `ends by ${name}`, flags: [jsonFlag, quietFlag], run };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });
}

const COMMANDS: readonly Command[] = [
  probe("returning", ({ terminal }) => {
    terminal.say("talk");
    return Promise.resolve(EXIT.data);
  }),
  probe("fault", () => {
    throw new PgsluiceError("pipeline-owned", "pipeline a\nb is owned", {
      hint: "wait for it",
      exitCode: EXIT.tryAgain,
    });
  }),
  probe("bug", () => Promise.reject(new TypeError("no such thing"))),
  probe("stray rejection", async ({ signal }) => {
    Promise.reject(new PgsluiceError("lost", "the connection is lost", { hint: "try again" }));
    await aborted(signal);
    return EXIT.done;
  }),
  probe("stray error", async ({ signal }) => {
    setTimeout(() => {
      throw new RangeError("thrown from nowhere");
    });
    await aborted(signal);
    return EXIT.done;
  }),
  probe("flood", async ({ terminal }) => {
    while (true) await terminal.write("data\n".repeat(10_000));
  }),
  probe("count", async ({ terminal }) => {
    const lines = (from: number) =>
      Array.from({ length: 10_000 }, (_, index) => `${from + index}\n`).join("");
    for (let from = 0; from < 500_000; from += 10_000) await terminal.write(lines(from));
    return EXIT.done;
  }),
  probe("finishing", async ({ terminal, signal }) => {
    const timer = setInterval(() => {}, 1_000);
    await terminal.write("ready\n");
    await aborted(signal);
    clearInterval(timer);
    await terminal.write("finished\n");
    return EXIT.done;
  }),
  probe("interrupted", async ({ terminal, signal }) => {
    const timer = setInterval(() => {}, 1_000);
    await terminal.write("ready\n");
    await aborted(signal);
    clearInterval(timer);
    signal.throwIfAborted();
    return EXIT.done;
  }),
  probe("stuck", async ({ terminal, signal }) => {
    setInterval(() => {}, 1_000);
    await terminal.write("ready\n");
    await aborted(signal);
    await terminal.write("aborted\n");
    return await new Promise<never>(() => {});
  }),
  {
    ...probe("child", async ({ terminal, signal }) => {
      setInterval(() => {}, 1_000);
      await terminal.write("ready\n");
      await aborted(signal);
      return EXIT.done;
    }),
    interactive: true,
  },
];

if (import.meta.main) await runProcess(Deno.args, COMMANDS);
