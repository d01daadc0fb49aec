/** `pgsluice status --watch` as a process of its own, in a pipe or on a pseudo terminal. */
import { fromFileUrl, join } from "@std/path";
import type { IngestPlace } from "../support/ingest_fixture.ts";
import { until } from "../support/until.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

/** `script` of util-linux makes pseudo terminals; others of that name know no `-c`. */
export const HAS_PSEUDO_TERMINAL = await new Deno.Command("script", { args: ["--version"] })
  .output().then(
    ({ stdout }) => new TextDecoder().decode(stdout).includes("util-linux"),
    () => false,
  );

export class WatchingProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #readings: Promise<void>[];
  readonly #pidFile: string;
  #output = "";
  #errors = "";

  private constructor(place: IngestPlace, { args, size }: {
    args: readonly string[];
    /** On a terminal of this size. */
    size?: { columns: number; rows: number };
  }) {
    this.#pidFile = join(place.home, `pid-${crypto.randomUUID()}`);
    const command = [
      ...[Deno.execPath(), "run", "--quiet", "--no-check", "-A", MAIN, "status", "--watch"],
      ...["--database", place.database.url, "--checkpoints", join(place.home, "checkpoints")],
      ...["--interval", "100ms", ...args],
    ].map((word) => `'${word}'`).join(" ");
    const run = `echo $$ > '${this.#pidFile}'; exec ${command}`;
    const options = {
      env: { NO_COLOR: "1", TERM: "xterm" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    } as const;
    this.#child = size === undefined
      ? new Deno.Command("sh", { args: ["-c", run], ...options }).spawn()
      : new Deno.Command("script", {
        args: [
          "-qefc",
          `stty cols ${size.columns} rows ${size.rows}; ${run}`,
          "/dev/null",
        ],
        ...options,
      }).spawn();
    this.#readings = [
      this.#read(this.#child.stdout, (text) => this.#output += text),
      this.#read(this.#child.stderr, (text) => this.#errors += text),
    ];
  }

  /** Writes lines into a pipe. */
  static inPipe(place: IngestPlace, ...args: readonly string[]): WatchingProcess {
    return new WatchingProcess(place, { args });
  }

  static onTerminal(
    place: IngestPlace,
    size: { columns: number; rows: number },
    ...args: readonly string[]
  ): WatchingProcess {
    return new WatchingProcess(place, { args, size });
  }

  /** All that it has written to stdout. */
  get output(): string {
    return this.#output;
  }

  /** The text of the last whole frame on a terminal, a row an element. */
  get frame(): readonly string[] {
    const frames = this.#output.split("\x1b[H");
    const last = frames.findLast((frame, index) => index > 0 && frame.includes("\x1b[J")) ?? "";
    return last.split("\x1b[J")[0]!.replaceAll("\x1b[K", "").split(/\r+\n/);
  }

  get lines(): readonly string[] {
    return this.#output.split("\n").slice(0, -1);
  }

  async until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
    try {
      await until(what, condition);
    } catch (error) {
      throw new Error(`${what}: ${this.#output.slice(-3_000)} ${this.#errors}`, { cause: error });
    }
  }

  async signal(signal: Deno.Signal): Promise<void> {
    Deno.kill(Number(await Deno.readTextFile(this.#pidFile)), signal);
  }

  /** Resolves when it is stopped, as by Ctrl-Z. */
  async stopped(): Promise<void> {
    const pid = Number(await Deno.readTextFile(this.#pidFile));
    await this.until("it stops", async () => {
      const states = await Promise.all([pid, this.#child.pid].map(stateOf));
      return states.includes("T");
    });
  }

  /** After it was stopped, and `script` with it. Harmless if they go on already. */
  async goOn(): Promise<void> {
    this.#child.kill("SIGCONT");
    await this.signal("SIGCONT");
  }

  /** Of the terminal, which tells the process. */
  async resize({ columns, rows }: { columns: number; rows: number }): Promise<void> {
    const pid = (await Deno.readTextFile(this.#pidFile)).trim();
    const { success } = await new Deno.Command("stty", {
      args: ["-F", `/proc/${pid}/fd/1`, "cols", String(columns), "rows", String(rows)],
    }).output();
    if (!success) throw new Error("the terminal cannot be resized");
  }

  /** @returns the exit code, when it has ended and all it wrote was read */
  async ended(): Promise<number> {
    await Promise.all(this.#readings);
    return (await this.#child.status).code;
  }

  /** Kills it, if it has not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.signal("SIGKILL");
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.ended();
  }

  async #read(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) take(decoder.decode(bytes, { stream: true }));
  }
}

/** A letter, as proc_pid_stat(5) has it. */
async function stateOf(pid: number): Promise<string> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).charAt(0);
}
