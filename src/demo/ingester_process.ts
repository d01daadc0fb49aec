/** Another pgsluice, as a process of its own, so that it can be killed for real. */
export class IngesterProcess {
  readonly #child: Deno.ChildProcess;
  readonly #stderr: Promise<string>;
  #status: Deno.CommandStatus | null = null;

  /**
   * @param args of `pgsluice`, as in `["ingest", "data/events"]`
   * @param options.environment all of it: nothing is inherited
   */
  constructor(args: readonly string[], options: { environment: Record<string, string> }) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...selfArguments(), ...args],
      clearEnv: true,
      env: options.environment,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#stderr = new Response(this.#child.stderr).text();
    this.#child.status.then((status) => this.#status = status);
  }

  get processId(): number {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#status !== null;
  }

  /** Ends it by the signal and waits. @returns how it ended and what it had said */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<{ code: number; stderr: string }> {
    if (this.#status === null) {
      try {
        this.#child.kill(signal);
      } catch {
        // it ended by itself just now
      }
    }
    return await this.ended();
  }

  /** Waits until it ends by itself. @returns how it ended and what it had said */
  async ended(): Promise<{ code: number; stderr: string }> {
    const { code } = await this.#child.status;
    return { code, stderr: await this.#stderr };
  }
}

/** What makes the running executable this program: nothing if compiled, else the main module. */
function selfArguments(): string[] {
  return Deno.build.standalone ? [] : ["run", "--quiet", "--allow-all", Deno.mainModule];
}
