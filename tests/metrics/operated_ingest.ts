/** An ingester as an operator meets it: with metrics, health and a server that tells them. */
import { ingest } from "../../src/pipeline/ingest.ts";
import type { IngestOptions } from "../../src/pipeline/ingest_options.ts";
import { tellAll } from "../../src/pipeline/tell_all.ts";
import { type Operations, startOperations } from "../../src/metrics/start_operations.ts";
import { folderSource, Heard, ingestOptions, type IngestPlace } from "../support/ingest_fixture.ts";
import { type Exposition, parseExposition } from "./parse_exposition.ts";

export const OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";

export const BUILD = { version: "1.2.3", commit: "0123abc" };

export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
}

export class OperatedIngest implements AsyncDisposable {
  readonly heard = new Heard();
  readonly ended: Promise<void>;
  /** What was not ready before and after each fact that changed it. */
  readonly readiness: string[][] = [];
  readonly #operations: Operations;
  readonly #controller = new AbortController();

  constructor(place: IngestPlace, change: Partial<IngestOptions> = {}) {
    const options = ingestOptions(place, {
      source: folderSource(place, { once: false }),
      noWait: false,
      signal: this.#controller.signal,
      ...change,
    });
    this.#operations = startOperations({
      listen: ":0",
      target: options.target,
      pipeline: options.pipelineName,
      build: BUILD,
    });
    this.#noteReadiness();
    // `heard` wakes the test, when the others know already
    this.ended = ingest(options, tellAll([this.#operations.observer, this.heard]));
    this.ended.catch((error) => this.heard.fail(error));
    this.heard.until(() => {
      this.#noteReadiness();
      return false;
    }).catch(() => {});
  }

  async get(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`http://${this.#operations.address}${path}`, init);
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      text: await response.text(),
    };
  }

  async scrape(accept = "*/*"): Promise<Exposition> {
    const { status, type, text } = await this.get("/metrics", { headers: { accept } });
    if (status !== 200) throw new Error(text);
    return parseExposition(text, { isOpenMetrics: type!.startsWith("application/openmetrics") });
  }

  /** The value of a metric with only the pipeline's label; null if it has none. */
  async value(name: string): Promise<number | null> {
    return (await this.scrape()).values.get(`${name}{pipeline="default"}`) ?? null;
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
    await this.#operations.close();
  }

  #noteReadiness(): void {
    const reasons = [...this.#operations.health.notReady()];
    if (this.readiness.at(-1)?.join() !== reasons.join()) this.readiness.push(reasons);
  }
}
