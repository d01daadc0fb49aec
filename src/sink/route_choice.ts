import { faultKind } from "../database/fault.ts";
import type { Batch } from "./batch.ts";
import type { LoadRoute } from "./row_loader.ts";

/** So many batches in a row that the table took whole end a detour. */
const CLEAN_STRETCH_BATCHES = 8;
/** SQLSTATE of a key, or another unique column, that is in the table already. */
const UNIQUE_VIOLATION = "23505";

/**
 * By which route the batches of a connection go: straight, until the table refuses one. Then that
 * one goes by a route that tells why, and so do those behind it until a clean stretch.
 */
export class RouteChoice {
  readonly #always: LoadRoute | null;
  #detour: LoadRoute = "copy";
  #batchesLeft = 0;

  /** @param hasFilter rows may be kept out of the table without an error, so all are staged */
  constructor({ hasFilter }: { hasFilter: boolean }) {
    this.#always = hasFilter ? "staging" : null;
  }

  routeFor(batch: Batch): LoadRoute {
    if (batch.rowCount === 0) return "copy";
    return this.#always ?? (this.#batchesLeft > 0 ? this.#detour : "copy");
  }

  /** The batch has committed by this route. @param isClean the table took all of its rows */
  committed(route: LoadRoute, isClean: boolean): void {
    if (route === "copy") return;
    this.#batchesLeft = isClean ? this.#batchesLeft - 1 : CLEAN_STRETCH_BATCHES;
  }

  /** The route to try after this error; null if no route takes what caused it. */
  after(route: LoadRoute, error: unknown): LoadRoute | null {
    if (route === "staging" || faultKind(error, { inCopy: true }) !== "reject") return null;
    const isKey = (error as { code?: unknown }).code === UNIQUE_VIOLATION;
    const next = route === "copy" && isKey ? "split" : "staging";
    this.#detour = next;
    this.#batchesLeft = CLEAN_STRETCH_BATCHES;
    return next;
  }
}
