import { faultKind } from "../database/fault.ts";
import type { Batch } from "./batch.ts";
import type { LoadRoute } from "./row_loader.ts";

/** So many batches in a row that the table took whole end a detour. */
const CLEAN_STRETCH_BATCHES = 8;
/** After a batch that could not be split without asking so many ask at once; then twice as many. */
const FIRST_ASKS = 2;
const MOST_ASKS = 64;
/** SQLSTATE of a key, or another unique column, that is in the table already. */
const UNIQUE_VIOLATION = "23505";

/**
 * By which route the batches of a connection go: straight, until the table refuses one. Then that
 * one goes by a route that tells why, and so do those behind it until a clean stretch.
 */
export class RouteChoice {
  readonly #hasFilter: boolean;
  #detour: "split" | "staging" = "split";
  /** Batches of the detour until the stretch is clean. */
  #batchesLeft = 0;
  #asksLeft = 0;
  #nextAsks = FIRST_ASKS;

  /** @param hasFilter rows may be kept out of the table without an error, so all are staged */
  constructor({ hasFilter }: { hasFilter: boolean }) {
    this.#hasFilter = hasFilter;
  }

  routeFor(batch: Batch): LoadRoute {
    if (batch.rowCount === 0) return "copy";
    if (this.#hasFilter) return "staging";
    if (this.#batchesLeft === 0) return "copy";
    return this.#detour === "split" && this.#asksLeft > 0 ? "ask" : this.#detour;
  }

  /** The batch has committed by this route. @param isClean the table took all of its rows */
  committed(route: LoadRoute, isClean: boolean): void {
    if (route === "copy") return;
    this.#batchesLeft = isClean ? Math.max(0, this.#batchesLeft - 1) : CLEAN_STRETCH_BATCHES;
    if (route === "ask" && this.#asksLeft > 0) this.#asksLeft--;
    if (route === "split") this.#nextAsks = FIRST_ASKS;
  }

  /** The route to try after this error; null if no route takes what caused it. */
  after(route: LoadRoute, error: unknown): LoadRoute | null {
    if (route === "staging" || faultKind(error, { inCopy: true }) !== "reject") return null;
    this.#batchesLeft = CLEAN_STRETCH_BATCHES;
    const isKey = (error as { code?: unknown }).code === UNIQUE_VIOLATION;
    this.#detour = isKey && route !== "ask" ? "split" : "staging";
    if (this.#detour === "staging" || route === "copy") return this.#detour;
    this.#asksLeft = this.#nextAsks;
    this.#nextAsks = Math.min(2 * this.#nextAsks, MOST_ASKS);
    return "ask";
  }
}
