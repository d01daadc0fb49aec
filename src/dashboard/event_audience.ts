/**
 * Those who look, and what they are told: events that are made once for all of them.
 *
 * Invariants: of each kind of event no more than the newest waits for a viewer, in the order in
 * which they came, so that one who reads slowly costs no memory and misses only what is old; a new
 * viewer is sent the newest of each kind at once.
 */

/** How soon a browser that has lost the stream asks for it again. */
const RETRY_MS = 1_000;

const ENCODER = new TextEncoder();

export interface EventAudienceOptions {
  /** How many may look at a time. */
  readonly most: number;
  /** For each viewer before everything else. */
  readonly greeting: { readonly kind: string; readonly facts: unknown };
  /** Called whenever somebody has come or gone. */
  readonly onChange: () => void;
}

export class EventAudience {
  readonly #options: EventAudienceOptions;
  readonly #viewers = new Set<Viewer>();
  /** By kind. */
  readonly #newest = new Map<string, Uint8Array>();
  #lastId = 0;

  constructor(options: EventAudienceOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#viewers.size;
  }

  /** @returns the body of an answer, until its reader goes away; null if there are too many */
  join(): ReadableStream<Uint8Array> | null {
    const { most, greeting, onChange } = this.#options;
    if (this.#viewers.size >= most) return null;
    const viewer = new Viewer(() => {
      this.#viewers.delete(viewer);
      onChange();
    });
    viewer.send("retry", ENCODER.encode(`retry: ${RETRY_MS}\n\n`));
    viewer.send(greeting.kind, this.#event(greeting.kind, greeting.facts));
    for (const [kind, bytes] of this.#newest) viewer.send(kind, bytes);
    this.#viewers.add(viewer);
    onChange();
    return viewer.stream;
  }

  /** Tells all of them, and those who come before the next of this kind. */
  tell(kind: string, facts: unknown): void {
    const bytes = this.#event(kind, facts);
    newestLast(this.#newest, kind, bytes);
    for (const viewer of this.#viewers) viewer.send(kind, bytes);
  }

  /** What was told of these kinds is no news for those who come. */
  forget(...kinds: readonly string[]): void {
    for (const kind of kinds) this.#newest.delete(kind);
  }

  /** Ends all streams. */
  dismiss(): void {
    for (const viewer of this.#viewers) viewer.end();
    this.#viewers.clear();
  }

  #event(kind: string, facts: unknown): Uint8Array {
    // JSON has no line ends, so that it is one line of data
    const data = JSON.stringify(facts);
    return ENCODER.encode(`id: ${++this.#lastId}\nevent: ${kind}\ndata: ${data}\n\n`);
  }
}

class Viewer {
  readonly stream: ReadableStream<Uint8Array>;
  /** By kind, the oldest first. Empty while `#isWaiting`. */
  readonly #pending = new Map<string, Uint8Array>();
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  /** The reader has asked for more, and there was none. */
  #isWaiting = false;

  constructor(onGone: () => void) {
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: onGone,
    }, { highWaterMark: 0 }); // what waits, waits here, where newer takes its place
  }

  send(kind: string, bytes: Uint8Array): void {
    if (!this.#isWaiting) return newestLast(this.#pending, kind, bytes);
    this.#isWaiting = false;
    this.#controller.enqueue(bytes);
  }

  end(): void {
    this.#controller.close();
  }

  #pull(): void {
    for (const [kind, bytes] of this.#pending) {
      this.#pending.delete(kind);
      this.#controller.enqueue(bytes);
      return;
    }
    this.#isWaiting = true;
  }
}

function newestLast(map: Map<string, Uint8Array>, kind: string, bytes: Uint8Array): void {
  map.delete(kind); // else it keeps its place
  map.set(kind, bytes);
}
