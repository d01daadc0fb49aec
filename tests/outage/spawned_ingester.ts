/** `pgsluice ingest` as a process of its own, which a test can kill and freeze. */
import { join } from "@std/path";
import type { IngestPlace } from "../support/ingest_fixture.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

export class SpawnedIngester implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #waiters = new Set<() => void>();
  #stderr = "";
  #hasEnded = false;

  /** Watches the place's folder, unless `--once` is among the arguments. */
  constructor(place: IngestPlace, options: { url?: string; args?: readonly string[] } = {}) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-check", "-A", MAIN, "ingest", place.events],
        ...["--database", options.url ?? place.database.url],
        ...["--checkpoints", join(place.home, "checkpoints")],
        ...options.args ?? [],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves when it has said so, on stderr, this many times. @throws if it ends before that */
  async said(text: string, times = 1): Promise<void> {
    while (this.#stderr.split(text).length <= times) {
      if (this.#hasEnded) throw new Error(`it ended without "${text}": ${this.#stderr}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiters.add(resolve);
      await promise;
    }
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Its end, however it comes. */
  async ended(): Promise<Deno.CommandStatus> {
    await this.#reading;
    return await this.#child.status;
  }

  /** Kills it, if it has not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.ended();
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
      this.#wake();
    }
    this.#hasEnded = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiters) resolve();
    this.#waiters.clear();
  }
}
