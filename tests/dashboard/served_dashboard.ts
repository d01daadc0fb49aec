/** A dashboard in this process, and what a page is told by it. */
import type { FeedPace } from "../../src/dashboard/dashboard_feed.ts";
import {
  type DashboardOptions,
  type DashboardServer,
  serveDashboard,
} from "../../src/dashboard/dashboard_server.ts";
import type {
  Hello,
  Pulse,
  ReportFacts,
  Reports,
  Totals,
  Trouble,
} from "../../src/dashboard/dashboard_facts.ts";
import type { ReportValue } from "../../src/query/report.ts";
import { until } from "../support/until.ts";

/** As little as pleases a browser; the real page has its own tests. */
export const PAGE: DashboardOptions["page"] = {
  tag: "test",
  assets: new Map([
    ["/", { contentType: "text/html; charset=utf-8", body: "<!doctype html><title>page</title>" }],
    ["/page.js", { contentType: "text/javascript; charset=utf-8", body: "export {};\n" }],
  ]),
};

/** Quick, so that tests are. */
export const PACE: Partial<FeedPace> = {
  pulseMs: 50,
  totalsShare: 0.5,
  reportsShare: 0.5,
  reportMs: 50,
  lingerMs: 200,
};

export function serve(
  change: Partial<DashboardOptions> & Pick<DashboardOptions, "target">,
): DashboardServer & AsyncDisposable {
  const server = serveDashboard({
    listen: "127.0.0.1:0",
    pipeline: "default",
    page: PAGE,
    say: () => {},
    pace: PACE,
    ...change,
  });
  return { ...server, [Symbol.asyncDispose]: () => server.close() };
}

/** What one page was told, the newest of each kind. */
export class Told implements AsyncDisposable {
  hello: Hello | null = null;
  pulse: Pulse | null = null;
  totals: Totals | null = null;
  reports: Reports = {};
  /** Null again with the next pulse, as the page has it. */
  trouble: Trouble | null = null;
  /** Kinds of all events, in order. */
  readonly kinds: string[] = [];
  readonly ids: number[] = [];
  hasEnded = false;
  readonly #reading: Promise<void>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #isClosed = false;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#reading = this.#read(new URL("/events", url), headers);
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    try {
      await until(what, () => {
        if (this.hasEnded) throw new Error(`the stream has ended before: ${what}`);
        return condition();
      });
    } catch (error) {
      const { pulse, totals, trouble, reports } = this;
      const facts = { pulse: { ...pulse, past: null }, totals, trouble, reports };
      throw new Error(`${what}: ${JSON.stringify(facts).slice(0, 5_000)}`, { cause: error });
    }
  }

  /** Rows by the names of their columns; none while there is no answer. */
  rows(name: string): Record<string, ReportValue>[] {
    const facts: ReportFacts | undefined = this.reports[name];
    if (facts === undefined || "error" in facts) return [];
    return facts.rows.map((row) =>
      Object.fromEntries(facts.columns.map((column, index) => [column, row[index]!]))
    );
  }

  /** Sum of a column of counts. */
  sum(name: string, column: string): number {
    return this.rows(name).reduce((sum, row) => sum + Number(row[column]), 0);
  }

  /** Resolves when the server has ended the stream. */
  async ended(): Promise<void> {
    await this.#reading;
  }

  /** Goes away, as a page that is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    // an aborted signal of `fetch` is not always heeded once the answer has begun (Deno 2.7)
    await this.#reader?.cancel().catch(() => {});
    await this.#reading;
  }

  async #read(url: URL, headers: Readonly<Record<string, string>>): Promise<void> {
    try {
      const response = await fetch(url, { headers });
      if (response.status !== 200) throw new Error(await response.text());
      const reader = response.body!.getReader();
      this.#reader = reader;
      const decoder = new TextDecoder();
      let text = "";
      while (!this.#isClosed) {
        const { value, done } = await reader.read();
        if (done) break;
        text += decoder.decode(value, { stream: true });
        const events = text.split("\n\n");
        text = events.pop()!;
        for (const event of events) this.#hear(event);
      }
      await reader.cancel();
    } catch (error) {
      if (!this.#isClosed) throw error;
    } finally {
      this.hasEnded = true;
    }
  }

  #hear(event: string): void {
    const fields = new Map(
      event.split("\n").map((line) => line.split(/: (.*)/s) as [string, string]),
    );
    const kind = fields.get("event");
    if (kind === undefined) return;
    this.kinds.push(kind);
    this.ids.push(Number(fields.get("id")));
    if (kind === "pulse") this.trouble = null;
    Object.assign(this, { [kind]: JSON.parse(fields.get("data")!) });
  }
}
