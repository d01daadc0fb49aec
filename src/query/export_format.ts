import type { ExportBuffer } from "./export_buffer.ts";

/** How rows are written. All pieces are bytes of UTF-8. */
export interface ExportFormat {
  /** Before the first row. */
  readonly head: Uint8Array;
  /** Before each column's value. */
  readonly before: readonly Uint8Array[];
  /** After a row's last value. */
  readonly after: Uint8Array;
  readonly nullText: Uint8Array;
  /** Around a uuid, a time and what is no number; 0 for nothing. */
  readonly quote: number;
  /** Puts the text in `[at, end)`, UTF-8 without NUL, with what it needs around it. */
  putText(buffer: ExportBuffer, bytes: Uint8Array, at: number, end: number): void;
}
