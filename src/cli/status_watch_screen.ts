/**
 * The whole screen of a terminal, drawn again and again in place of what was there.
 *
 * Invariant: between `enter()` and `leave()` the terminal shows its alternate screen without a
 * cursor; on every way out of the process that it can see, it has its own screen and cursor back.
 */
import type { Terminal } from "./command.ts";

/** Alternate screen, no cursor, and lines that are too long are cut, not wrapped. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const ERASE_LINE_END = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

export interface ScreenOptions {
  readonly terminal: Pick<Terminal, "write">;
  /** For the moment in which the process ends or stops: nothing that has to be waited for. */
  readonly writeNow: (text: string) => void;
}

export class Screen {
  readonly #options: ScreenOptions;
  #isEntered = false;
  readonly #leaveNow = () => {
    if (this.#isEntered) this.#options.writeNow(LEAVE);
    this.#isEntered = false;
  };

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  /** Takes the screen, again if it was given back. */
  async enter(): Promise<void> {
    if (this.#isEntered) return;
    this.#isEntered = true;
    globalThis.addEventListener("unload", this.#leaveNow);
    await this.#options.terminal.write(ENTER);
  }

  /** One write, which erases no more than what it does not fill, so that nothing flickers. */
  async draw(lines: readonly string[]): Promise<void> {
    if (!this.#isEntered) return;
    const text = lines.map((line) => line + ERASE_LINE_END).join("\r\n");
    await this.#options.terminal.write(HOME + text + ERASE_BELOW);
  }

  /** Gives the screen back before the process is stopped (Ctrl-Z). */
  leaveNow(): void {
    this.#leaveNow();
  }

  /** Gives the screen back. Never rejects. Twice is safe. */
  async leave(): Promise<void> {
    globalThis.removeEventListener("unload", this.#leaveNow);
    if (!this.#isEntered) return;
    this.#isEntered = false;
    // a terminal that has gone needs nothing
    await this.#options.terminal.write(LEAVE).catch(() => {});
  }
}
