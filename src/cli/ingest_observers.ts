import type { DatabaseTarget } from "../database/database_target.ts";
import type { Operations } from "../metrics/start_operations.ts";
import type { IngestObserver } from "../pipeline/ingest_observer.ts";
import { tellAll } from "../pipeline/tell_all.ts";
import { openService } from "../service/open_service.ts";
import type { CommandContext } from "./command.ts";
import { logLevelFlag } from "./common_flags.ts";
import { IngestLog } from "./ingest_log.ts";
import { IngestReporter } from "./ingest_reporter.ts";
import { listenFlag } from "./listen_flag.ts";

/** Everybody who hears what an ingester tells: people, programs that ask, and systemd. */
export interface IngestObservers {
  readonly all: IngestObserver;
  /** Of them, the one that adds it all up. */
  readonly reporter: IngestReporter;
  /** Says what was held back, and stops listening. */
  close(): Promise<void>;
}

/** @throws {PgsluiceError} `listen` */
export async function openObservers(
  context: CommandContext,
  place: { target: DatabaseTarget; pipeline: string },
): Promise<IngestObservers> {
  const { flags, terminal, signal } = context;
  const reporter = new IngestReporter(terminal, { hasEnd: flags.switch("once") });
  const log = new IngestLog(terminal, {
    tellsBatches: flags.text(logLevelFlag.name) === "debug",
  });
  const operations = await openOperations(context, place);
  const service = openService({
    environment: Deno.env,
    onTrouble: (message) => terminal.log({ level: "warning", event: "service", message }),
  });
  if (service !== null) signal.addEventListener("abort", () => service.observer.stopping());
  const all = [operations?.observer, reporter, log, service?.observer];
  return {
    all: tellAll(all.filter((observer) => observer !== undefined)),
    reporter,
    async close() {
      await operations?.close();
      log.close();
      service?.close();
    },
  };
}

/** What `--listen` asks for. */
async function openOperations(
  { flags, terminal }: CommandContext,
  { target, pipeline }: { target: DatabaseTarget; pipeline: string },
): Promise<Operations | null> {
  const listen = flags.text(listenFlag.name);
  if (listen === undefined) return null;
  const { startOperations } = await import("../metrics/start_operations.ts");
  const { VERSION } = await import("../version.ts");
  const operations = startOperations({ listen, target, pipeline, build: VERSION });
  const { address } = operations;
  terminal.log({
    level: "info",
    event: "listening",
    message: `metrics and health are at http://${address}/`,
    fields: { address },
  });
  return operations;
}
