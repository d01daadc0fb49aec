import {
  type JournalDisk,
  type JournalHandle,
  localDisk,
} from "../../src/checkpoint/journal_disk.ts";

/** A file system of which the Nth operation fails, once or from then on. Writes fail half way. */
export class FaultyDisk implements JournalDisk {
  readonly #failing: { readonly from: number; readonly until: number };
  #operations = 0;
  #isMended = false;
  /** The operations that failed, by name. */
  readonly failed: string[] = [];

  constructor({ nth, isLasting }: { nth: number; isLasting: boolean }) {
    this.#failing = { from: nth, until: isLasting ? Infinity : nth + 1 };
  }

  /** Nothing fails any more. */
  mend(): void {
    this.#isMended = true;
  }

  makeDirectory(path: string): void {
    this.#meet("makeDirectory");
    localDisk.makeDirectory(path);
  }

  create(path: string): JournalHandle {
    this.#meet("create");
    return this.#handle(localDisk.create(path));
  }

  reopen(path: string): JournalHandle {
    this.#meet("reopen");
    return this.#handle(localDisk.reopen(path));
  }

  lock(path: string): JournalHandle | null {
    this.#meet("lock");
    return localDisk.lock(path);
  }

  rename(from: string, to: string): void {
    this.#meet("rename");
    localDisk.rename(from, to);
  }

  remove(path: string): void {
    this.#meet("remove");
    localDisk.remove(path);
  }

  syncDirectory(path: string): void {
    this.#meet("syncDirectory");
    localDisk.syncDirectory(path);
  }

  #handle(handle: JournalHandle): JournalHandle {
    return {
      write: (bytes) => {
        if (!this.#isNext()) return handle.write(bytes);
        handle.write(bytes.subarray(0, bytes.length >> 1));
        return this.#fail("write");
      },
      sync: () => {
        this.#meet("sync");
        handle.sync();
      },
      sizeBytes: () => handle.sizeBytes(),
      isAt: (path) => handle.isAt(path),
      close: () => handle.close(),
    };
  }

  #meet(operation: string): void {
    if (this.#isNext()) this.#fail(operation);
  }

  #isNext(): boolean {
    this.#operations++;
    return !this.#isMended && this.#operations >= this.#failing.from &&
      this.#operations < this.#failing.until;
  }

  #fail(operation: string): never {
    this.failed.push(operation);
    throw new Error(`${operation} failed, as the test asked`);
  }
}
