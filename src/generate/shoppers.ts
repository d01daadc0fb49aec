import type { Catalogue, Product, User } from "./catalogue.ts";
import { DAY_MS, EVENTS_PER_DAY, trafficAt } from "./daily_rhythm.ts";
import type { Random } from "./random.ts";
import { SessionQueue } from "./session_queue.ts";
import type { ShopEvent } from "./shop_event.ts";

/** Views in a session, on average: one, and then one more with this chance each time. */
const ONE_MORE_VIEW = 0.8;
const MEAN_VIEWS = 1 / (1 - ONE_MORE_VIEW);
/** How often what was viewed is put into the cart. */
const INTO_CART = 0.12;
/** How often the next product viewed is of the same category. */
const SAME_CATEGORY = 0.5;
/** Between two views, and between the last one and the checkout, on average. */
const MEAN_GAP_MS = 40_000;
/** How often one more piece is bought. */
const ONE_MORE_PIECE = 0.25;
const MAX_PIECES = 9;

const SESSIONS_PER_MS = EVENTS_PER_DAY / DAY_MS / (MEAN_VIEWS * (1 + INTO_CART));

interface Session {
  nextMs: number;
  readonly user: User;
  /** Viewed last. */
  product: Product | null;
  viewsLeft: number;
  readonly cart: Product[];
}

/**
 * The visitors of the shop. Sessions begin as independent visitors would, more of them in the
 * evening; in each, a user views products, and at the end buys some of those viewed, all in one
 * checkout. Time never goes back, and a purchase follows a view of that product in its session.
 */
export class Shoppers {
  readonly #catalogue: Catalogue;
  readonly #random: Random;
  readonly #sessions = new SessionQueue<Session>();
  /** When the next session begins. */
  #arrivalMs: number;

  /** @param startMs epoch ms, not negative; no event is earlier */
  constructor(catalogue: Catalogue, { startMs, random }: { startMs: number; random: Random }) {
    this.#catalogue = catalogue;
    this.#random = random;
    this.#arrivalMs = startMs;
  }

  /** An event to hand to `next`. */
  blankEvent(): ShopEvent {
    return {
      timeMs: this.#arrivalMs,
      isPurchase: false,
      user: this.#catalogue.users[0] as User,
      product: this.#catalogue.products[0] as Product,
      quantity: 1,
      idCounter: 0,
      idHigh: 0,
      idLow: 0,
    };
  }

  /** Fills in what happens next; `event` is the one before it. */
  next(event: ShopEvent): void {
    const session = this.#nextSession();
    const timeMs = Math.floor(session.nextMs);
    const random = this.#random;
    event.idCounter = timeMs === event.timeMs ? event.idCounter + 1 : random.word() >>> 21;
    event.idHigh = random.word() >>> 2;
    event.idLow = random.word();
    event.timeMs = timeMs;
    event.user = session.user;
    if (session.viewsLeft > 0) this.#view(session, event);
    else this.#buy(session, event);
    if (session.viewsLeft === 0 && session.cart.length === 0) this.#sessions.removeFirst();
    else this.#sessions.settleFirst();
  }

  /** Fills in an event that no session holds, of the time that `event` has. */
  stray(event: ShopEvent, random: Random): void {
    event.user = this.#catalogue.user(random);
    event.product = this.#catalogue.product(random);
    event.isPurchase = random.fraction() < INTO_CART;
    event.quantity = event.isPurchase ? pieces(random) : 1;
    event.idCounter = random.word() >>> 20;
    event.idHigh = random.word() >>> 2;
    event.idLow = random.word();
  }

  #nextSession(): Session {
    for (;;) {
      const first = this.#sessions.first;
      if (first !== undefined && first.nextMs <= this.#arrivalMs) return first;
      this.#sessions.push(this.#arrive());
    }
  }

  #arrive(): Session {
    const random = this.#random;
    const nextMs = this.#arrivalMs;
    this.#arrivalMs += random.exponential(1 / (SESSIONS_PER_MS * trafficAt(nextMs)));
    let viewsLeft = 1;
    while (random.fraction() < ONE_MORE_VIEW) viewsLeft++;
    return { nextMs, user: this.#catalogue.user(random), product: null, viewsLeft, cart: [] };
  }

  #view(session: Session, event: ShopEvent): void {
    const random = this.#random;
    const last = session.product;
    const product = last !== null && random.fraction() < SAME_CATEGORY
      ? this.#catalogue.similarProduct(last, random)
      : this.#catalogue.product(random);
    if (random.fraction() < INTO_CART) session.cart.push(product);
    session.product = product;
    session.viewsLeft--;
    session.nextMs += random.exponential(MEAN_GAP_MS);
    event.isPurchase = false;
    event.product = product;
    event.quantity = 1;
  }

  #buy(session: Session, event: ShopEvent): void {
    event.isPurchase = true;
    event.product = session.cart.pop() as Product;
    event.quantity = pieces(this.#random);
  }
}

function pieces(random: Random): number {
  let count = 1;
  while (count < MAX_PIECES && random.fraction() < ONE_MORE_PIECE) count++;
  return count;
}
