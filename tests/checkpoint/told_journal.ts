import { Journal, type JournalOptions, type JournalState } from "../../src/checkpoint/journal.ts";
import type {
  JournalContent,
  JournalFile,
  JournalHead,
} from "../../src/checkpoint/journal_codec.ts";

/** All but the files, which are those that a test begins with. */
type Beginning = Omit<JournalState, "files"> & { readonly files: readonly JournalFile[] };

/** A journal whose owner knows what it was told, and nothing else. */
export class ToldJournal {
  readonly #journal: Journal;
  readonly #files = new Map<string, JournalFile>();

  constructor(options: JournalOptions) {
    this.#journal = new Journal(options);
  }

  rebuild(head: JournalHead, { files, ...rest }: Beginning): void {
    this.#files.clear();
    this.#tell(files);
    this.#journal.rebuild(head, { ...rest, files: this.#files });
  }

  resume(content: JournalContent, rest: Omit<JournalState, "files">): void {
    this.#tell([...content.files.values()]);
    this.#journal.resume(content, { ...rest, files: this.#files });
  }

  append(files: readonly JournalFile[]): void {
    this.#tell(files);
    this.#journal.append(files);
  }

  close(): void {
    this.#journal.close();
  }

  abandon(): void {
    this.#journal.abandon();
  }

  #tell(files: readonly JournalFile[]): void {
    for (const file of files) this.#files.set(file.path, file);
  }
}
