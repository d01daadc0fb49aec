import { PgsluiceError } from "../pgsluice_error.ts";

interface UnderWay<Answer> {
  readonly answer: Promise<Answer>;
  readonly ended: AbortController;
}

/**
 * A question that is asked once at a time, however many want to know, and that nobody waits for
 * longer than the deadline.
 *
 * Invariants: no more than one is under way; it is told to end when its deadline has passed; while
 * it does not, those who ask wait for it, each to the deadline and no longer.
 */
export class SharedQuestion<Answer> {
  readonly #question: (signal: AbortSignal) => Promise<Answer>;
  readonly #deadlineMs: number;
  #underWay: UnderWay<Answer> | null = null;

  /** @param question ends soon after its signal is aborted, in whatever way */
  constructor(
    question: (signal: AbortSignal) => Promise<Answer>,
    { deadlineMs }: { deadlineMs: number },
  ) {
    this.#question = question;
    this.#deadlineMs = deadlineMs;
  }

  /** @throws what the question throws, or PgsluiceError `status-late` */
  async ask(): Promise<Answer> {
    const { answer } = this.#underWay ??= this.#begin();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(tooLate(this.#deadlineMs)), this.#deadlineMs);
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Tells what is under way to end. */
  end(): void {
    this.#underWay?.ended.abort();
  }

  #begin(): UnderWay<Answer> {
    const ended = new AbortController();
    const timer = setTimeout(() => ended.abort(tooLate(this.#deadlineMs)), this.#deadlineMs);
    const answer = this.#question(ended.signal).finally(() => {
      clearTimeout(timer);
      this.#underWay = null;
    });
    answer.catch(() => {}); // nobody may be waiting any more
    return { answer, ended };
  }
}

function tooLate(deadlineMs: number): PgsluiceError {
  return new PgsluiceError(
    "status-late",
    `the database did not answer within ${deadlineMs / 1000} s`,
    { hint: "/readyz tells whether it is down; else it is busy, or there are very many files" },
  );
}
