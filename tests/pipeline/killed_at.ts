/**
 * An ingester for tests to run as a process, that kills itself just before an operation.
 * Arguments: the options as JSON.
 */
import { ingest } from "../../src/pipeline/ingest.ts";
import type { AfterLoad } from "../../src/pipeline/ingest_options.ts";
import { Heard, ingestOptions } from "../support/ingest_fixture.ts";
import type { ProbePoint } from "../../src/probe.ts";
import type { TestDatabase } from "../support/test_database.ts";

export interface KilledAt {
  readonly url: string;
  readonly home: string;
  readonly events: string;
  readonly after: AfterLoad;
  readonly point: ProbePoint;
}

if (import.meta.main) {
  const { url, home, events, after, point }: KilledAt = JSON.parse(Deno.args[0]!);
  const database = { target: { kind: "server", url } } as unknown as TestDatabase;
  const options = ingestOptions({ database, home, events }, {
    source: {
      kind: "folder",
      directory: events,
      once: true,
      recursive: false,
      after,
      onReplaced: "hold",
      fromNow: false,
    },
    probe: (reached) => {
      if (reached === point) Deno.kill(Deno.pid, "SIGKILL");
    },
  });
  await ingest(options, new Heard());
}
