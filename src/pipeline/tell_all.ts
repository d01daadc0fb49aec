import type { IngestObserver } from "./ingest_observer.ts";

/** Tells each of them every fact, in this order. */
export function tellAll(observers: readonly IngestObserver[]): IngestObserver {
  const each =
    <Name extends keyof IngestObserver>(name: Name) =>
    (...facts: Parameters<IngestObserver[Name]>): void => {
      for (const observer of observers) {
        (observer[name] as (...facts: Parameters<IngestObserver[Name]>) => void)(...facts);
      }
    };
  return {
    standby: each("standby"),
    started: each("started"),
    scanned: each("scanned"),
    turned: each("turned"),
    committed: each("committed"),
    caughtUp: each("caughtUp"),
    fileTrouble: each("fileTrouble"),
    fileNote: each("fileNote"),
    readError: each("readError"),
    journal: each("journal"),
    journalTrouble: each("journalTrouble"),
    outage: each("outage"),
    recovered: each("recovered"),
  };
}
