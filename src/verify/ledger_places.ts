import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { RecordBlock, SplitRecord } from "./record_block.ts";
import type {
  LedgerDuplicate,
  LedgerPlace,
  LedgerReject,
  Snapshot,
  VerifiedFile,
} from "./snapshot.ts";
import type { Differences } from "./verify_report.ts";

/**
 * What the ledger holds of a file's records that were not loaded, taken along as the file is read.
 * Invariant: of what starts before `#loadedByte` everything is in the maps that no record took;
 * what is left when more is loaded belongs to no record, which is a difference.
 */
export class LedgerPlaces {
  readonly #file: VerifiedFile;
  readonly #snapshot: Snapshot;
  readonly #differences: Differences;
  #rejects = new Map<number, LedgerReject>();
  #duplicates = new Map<number, LedgerDuplicate>();
  #loadedByte = 0;

  constructor(
    file: VerifiedFile,
    { snapshot, differences }: { snapshot: Snapshot; differences: Differences },
  ) {
    this.#file = file;
    this.#snapshot = snapshot;
    this.#differences = differences;
  }

  /** Loads what starts before `toByte`; the records before were taken. */
  async load(toByte: number): Promise<void> {
    this.#nameLeftOver();
    const range = { fromByte: this.#loadedByte, toByte };
    const { fileId, rejectRows, duplicateRows } = this.#file;
    if (rejectRows > 0) {
      this.#rejects = this.#byStart(await this.#snapshot.rejects(fileId, range), "reject");
    }
    if (duplicateRows > 0) {
      this.#duplicates = this.#byStart(await this.#snapshot.duplicates(fileId, range), "duplicate");
    }
    this.#loadedByte = toByte;
  }

  /** Names what lies behind the last record. */
  async finish(): Promise<void> {
    await this.load(Number.MAX_SAFE_INTEGER);
    this.#nameLeftOver();
  }

  /** What the ledger holds of this record, compared with it. */
  take(
    record: SplitRecord,
    block: RecordBlock,
  ): { reject: LedgerReject | undefined; duplicate: LedgerDuplicate | undefined } {
    const reject = this.#rejects.get(record.startByte);
    const duplicate = this.#duplicates.get(record.startByte);
    if (reject !== undefined) {
      this.#rejects.delete(record.startByte);
      this.#comparePlace(record, reject, "reject");
      if (hash("sha256", Buffer.from(block.head(record)), "hex") !== reject.rawHash) {
        this.#differences.addLine(record.lineNumber, {
          expected: "a reject with the record's bytes",
          found: "one with other bytes",
        });
      }
    }
    if (duplicate !== undefined) {
      this.#duplicates.delete(record.startByte);
      this.#comparePlace(record, duplicate, "duplicate");
      if (reject !== undefined && reject.state !== "duplicate") {
        this.#differences.addLine(record.lineNumber, {
          expected: "a reject or a duplicate",
          found: "both",
        });
      }
    }
    return { reject, duplicate };
  }

  #comparePlace(record: SplitRecord, place: LedgerPlace, noun: string): void {
    if (place.endByte === record.endByte && place.lineNumber === record.lineNumber) return;
    this.#differences.addLine(record.lineNumber, {
      expected: `a ${noun} of bytes ${record.startByte} to ${record.endByte}`,
      found: `one of line ${place.lineNumber}, bytes ${place.startByte} to ${place.endByte}`,
    });
  }

  #byStart<Place extends LedgerPlace>(
    places: readonly Place[],
    noun: string,
  ): Map<number, Place> {
    const byStart = new Map<number, Place>();
    for (const place of places) {
      if (byStart.has(place.startByte)) {
        this.#differences.addLine(place.lineNumber, {
          expected: `one ${noun} at byte ${place.startByte}`,
          found: "several",
        });
      }
      byStart.set(place.startByte, place);
    }
    return byStart;
  }

  #nameLeftOver(): void {
    for (
      const [noun, places] of [["reject", this.#rejects], ["duplicate", this.#duplicates]] as const
    ) {
      for (const place of places.values()) {
        this.#differences.addLine(place.lineNumber, {
          expected: `no ${noun} at byte ${place.startByte}, where no record starts`,
          found: `a ${noun}`,
        });
      }
      places.clear();
    }
  }
}
