import { ExportBuffer } from "./export_buffer.ts";

/** Written at a time: enough that a write costs next to nothing. */
const PIECE_BYTES = 256 * 1024;

export interface ExportOutputOptions {
  /** Takes pieces in order, each whole rows; it is asked again when it has taken the one before. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Called when a piece was taken. */
  readonly onWritten: (sizeBytes: number) => void;
}

/**
 * Hands on what is put into a buffer, while more is put into another one.
 *
 * Invariant: at most one piece is being written, and at most one buffer filled. Neither is much
 * larger than a piece and what comes from the server at a time.
 */
export class ExportOutput {
  readonly #options: ExportOutputOptions;
  #filled = new ExportBuffer();
  #spare = new ExportBuffer();
  /** Rejects if a piece could not be written, and then for good. */
  #writing: Promise<void> | null = null;

  constructor(options: ExportOutputOptions) {
    this.#options = options;
  }

  /** To be filled, until the next call of a method. */
  get buffer(): ExportBuffer {
    return this.#filled;
  }

  /**
   * Begins to write if there is a piece.
   * @returns null if more can be put; else what resolves when it can, and rejects if it never will
   */
  handOn(): Promise<void> | null {
    if (this.#filled.length < PIECE_BYTES) return null;
    if (this.#writing !== null) return this.#writing.then(() => this.#write());
    this.#write();
    return null;
  }

  /** Writes what is left. */
  async finish(): Promise<void> {
    await this.settle();
    this.#write();
    await this.#writing;
  }

  /** Waits for what is being written, so that it does not end within a row. */
  async settle(): Promise<void> {
    await this.#writing;
  }

  #write(): void {
    const { write, onWritten } = this.#options;
    const full = this.#filled;
    this.#filled = this.#spare;
    this.#spare = full;
    const writing = (async () => {
      await write(full.bytes.subarray(0, full.length));
      onWritten(full.length);
      full.length = 0;
      this.#writing = null;
    })();
    writing.catch(() => {}); // heard of by who waits
    this.#writing = writing;
  }
}
