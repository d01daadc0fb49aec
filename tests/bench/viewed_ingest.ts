/** The same ingest, while pages are open. */
import { fromFileUrl } from "@std/path";
import type { BenchPlace } from "./bench_place.ts";
import type { Dataset } from "./datasets.ts";
import { ingestProcess } from "./ingest_process.ts";
import type { Loader } from "./loader.ts";
import { familyCpuMs, type ProcessCost } from "./watched_process.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

export class ViewedIngest implements Loader {
  readonly name: string;
  readonly #viewers: number;
  /** Of each load: CPU time of the dashboard and its sessions, to that of both cores meanwhile. */
  readonly shares: number[] = [];

  constructor(viewers: number) {
    this.#viewers = viewers;
    this.name = viewers === 1 ? "with one page open" : `with ${viewers} pages open`;
  }

  missing(): Promise<string | null> {
    return Promise.resolve(null);
  }

  async load(place: BenchPlace, { directory }: Dataset): Promise<ProcessCost> {
    const dashboard = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "-A", MAIN, "dashboard", "--listen", "127.0.0.1:0", "--quiet"],
        ...["--database", place.database.url],
      ],
      cwd: place.home,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const closing = new AbortController();
    const pages: Promise<void>[] = [];
    const output = dashboard.stdout.pipeThrough(new TextDecoderStream()).getReader();
    try {
      const { value: url } = await output.read();
      const first = Promise.withResolvers<void>();
      for (let page = 0; page < this.#viewers; page++) {
        pages.push(view(new URL("/events", url!.trim()), closing.signal, first.resolve));
      }
      await first.promise;
      const cpuMs = async () => {
        const sessions = await place.database.sql<{ pid: number }[]>`
          select pid from pg_stat_activity where application_name like 'pgsluice dashboard%'`;
        return [dashboard.pid, ...sessions.map(({ pid }) => pid)]
          .reduce((sum, pid) => sum + familyCpuMs(pid), 0);
      };
      const beforeMs = await cpuMs();
      const run = await ingestProcess(place, directory);
      const usedMs = await cpuMs() - beforeMs;
      this.shares.push(usedMs / (run.elapsedMs * navigator.hardwareConcurrency));
      return run;
    } finally {
      closing.abort();
      dashboard.kill("SIGTERM");
      await dashboard.status;
      await output.cancel();
      await Promise.all(pages);
    }
  }
}

/** Reads all that a page is told. */
async function view(url: URL, closing: AbortSignal, onFirst: () => void): Promise<void> {
  const response = await fetch(url);
  const reader = response.body!.getReader();
  closing.addEventListener("abort", () => reader.cancel().catch(() => {}));
  for (;;) {
    const { done } = await reader.read().catch(() => ({ done: true }));
    if (done) return;
    onFirst();
  }
}
