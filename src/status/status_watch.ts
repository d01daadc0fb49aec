/**
 * Pictures of the pipelines, for as long as somebody watches: over outages of the database, of which
 * the last picture before is kept.
 *
 * Invariant: there is an outage if and only if the last attempt to get a picture has failed.
 */
import { connect } from "../database/connect.ts";
import { connectionLost } from "../database/connection_lost.ts";
import { type DatabaseTarget, describeTarget } from "../database/database_target.ts";
import { databaseError, isConnectionError, sqlState } from "../database/fault.ts";
import { PgsluiceError } from "../pgsluice_error.ts";
import { hasData } from "./has_data.ts";
import type { WatchPicture } from "./watch_picture.ts";
import { WatchSession, type WatchSessionOptions } from "./watch_session.ts";

/** A server that is away is tried no more often. */
const RETRY_MS = 500;
/** A server that says nothing for so long is away: even a dear question is answered earlier. */
const SILENCE_MS = 30_000;

export interface WatchOptions extends WatchSessionOptions {
  readonly target: DatabaseTarget;
  /** Hears what a person should know about starting the embedded server. */
  readonly say: (text: string) => void;
}

export interface Outage {
  readonly awayMs: number;
  /** Without a password. */
  readonly reason: string;
}

/** What there is to show at a moment. */
export interface WatchView {
  /** Null until there is a ledger. */
  readonly picture: WatchPicture | null;
  /** Since the picture was right; 0 without one. */
  readonly ageMs: number;
  readonly outage: Outage | null;
}

export class StatusWatch {
  readonly #options: WatchOptions;
  #session: WatchSession | null = null;
  #hasStood = false;
  #picture: WatchPicture | null = null;
  /** By `performance.now()`, as all times here. */
  #pictureMs = 0;
  #outage: { readonly sinceMs: number; readonly reason: string } | null = null;
  #triedMs = -Infinity;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /**
   * Tries to get a new picture. To be called again only when it is over.
   * @throws PgsluiceError what `connect` throws, if no attempt has succeeded yet, and
   * `no-such-pipeline`
   */
  async look(): Promise<void> {
    const startedMs = performance.now();
    if (this.#outage !== null && startedMs - this.#triedMs < RETRY_MS) return;
    this.#triedMs = startedMs;
    try {
      this.#session ??= await this.#open();
      const picture = await this.#read();
      this.#refuseMissing(picture);
      this.#picture = picture;
      this.#pictureMs = startedMs;
      this.#outage = null;
      this.#hasStood = true;
    } catch (error) {
      await this.#fail(error, startedMs);
    }
  }

  view(): WatchView {
    const nowMs = performance.now();
    return {
      picture: this.#picture,
      ageMs: this.#picture === null ? 0 : nowMs - this.#pictureMs,
      outage: this.#outage === null ? null : {
        awayMs: nowMs - this.#outage.sinceMs,
        reason: this.#outage.reason,
      },
    };
  }

  /** Gives up what is under way. Twice is safe. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  async #open(): Promise<WatchSession | null> {
    const { target, say } = this.#options;
    if (!await hasData(target)) return null;
    const client = await connect(target, { applicationName: "pgsluice status", say });
    return new WatchSession(client, this.#options);
  }

  async #read(): Promise<WatchPicture | null> {
    const session = this.#session;
    if (session === null) return null;
    let isSilent = false;
    const deadline = setTimeout(() => {
      isSilent = true;
      session.close();
    }, SILENCE_MS);
    try {
      return await session.read();
    } catch (error) {
      throw isSilent ? connectionLost(`no answer in ${SILENCE_MS / 1000} s`) : error;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** A name that is there at first and goes away later is no mistake of the one who typed it. */
  #refuseMissing(picture: WatchPicture | null): void {
    const { pipeline } = this.#options;
    if (this.#hasStood || pipeline === undefined) return;
    if (picture !== null && picture.pipelines.length > 0) return;
    throw new PgsluiceError("no-such-pipeline", `there is no pipeline ${pipeline}`, {
      hint: "`pgsluice status` without --pipeline lists those there are",
    });
  }

  async #fail(error: unknown, startedMs: number): Promise<void> {
    const isOfDatabase = error instanceof PgsluiceError || sqlState(error) !== undefined ||
      isConnectionError(error);
    const { target } = this.#options;
    const told = isOfDatabase ? databaseError(error, `asking ${describeTarget(target)}`) : error;
    await this.close();
    if (!this.#hasStood || !(told instanceof PgsluiceError)) throw told;
    this.#outage = { sinceMs: this.#outage?.sinceMs ?? startedMs, reason: told.message };
  }
}
