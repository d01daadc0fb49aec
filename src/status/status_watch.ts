/**
 * Pictures of the pipelines, for as long as somebody watches: over outages of the database, during
 * which the last picture before is kept.
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

/** A server that is away is tried again after so long, each time after twice as long, to the most. */
const FIRST_RETRY_MS = 500;
const MOST_RETRY_MS = 4_000;
/** Even a dear question is answered earlier. */
const SILENCE_MS = 30_000;

export interface WatchOptions extends WatchSessionOptions {
  readonly target: DatabaseTarget;
  /** Hears what a person should know about starting the embedded server. */
  readonly say: (text: string) => void;
  /** In `pg_stat_activity`; `pgsluice status` unless given. */
  readonly applicationName?: string;
  /** A server that says nothing for so long is away; 30 s unless given. */
  readonly silenceMs?: number;
  /**
   * A database that is away from the start, and a pipeline that is not there yet, are waited for:
   * `look()` does not throw what may get better.
   */
  readonly isPatient?: boolean;
}

export interface Outage {
  readonly awayMs: number;
  /** Without a password. */
  readonly reason: string;
  /** Of the error. */
  readonly code: string;
  readonly hint: string;
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
  #isClosed = false;
  #hasStood = false;
  #picture: WatchPicture | null = null;
  /** By `performance.now()`, as all times here. */
  #pictureMs = 0;
  #outage: { readonly sinceMs: number; readonly error: PgsluiceError } | null = null;
  #triedMs = -Infinity;
  #retryMs = FIRST_RETRY_MS;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /**
   * Tries to get a new picture. To be called again only when it is over.
   * @throws PgsluiceError unless it is patient: what `connect` throws, if no attempt has succeeded
   * yet, and `no-such-pipeline`
   */
  async look(): Promise<void> {
    const startedMs = performance.now();
    if (this.#outage !== null) {
      if (startedMs - this.#triedMs < this.#retryMs) return;
      this.#retryMs = Math.min(MOST_RETRY_MS, this.#retryMs * 2);
    }
    this.#triedMs = startedMs;
    try {
      this.#session ??= await this.#open();
      if (this.#isClosed) return await this.#drop(); // closed while it was being opened
      const picture = await this.#read();
      this.#refuseMissing(picture);
      this.#picture = picture;
      this.#pictureMs = startedMs;
      this.#outage = null;
      this.#retryMs = FIRST_RETRY_MS;
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
        reason: this.#outage.error.message,
        code: this.#outage.error.code,
        hint: this.#outage.error.hint,
      },
    };
  }

  /** Gives up what is under way. Twice is safe. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#drop();
  }

  async #drop(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  async #open(): Promise<WatchSession | null> {
    const { target, say, applicationName = "pgsluice status" } = this.#options;
    if (!await hasData(target)) return null;
    try {
      const client = await connect(target, { applicationName, say });
      return new WatchSession(client, this.#options);
    } catch (error) {
      // an embedded server is there a moment before the ingester has made its database
      const isMissing = error instanceof PgsluiceError && error.code === "database-missing";
      if (isMissing && target.kind === "embedded") return null;
      throw error;
    }
  }

  async #read(): Promise<WatchPicture | null> {
    const session = this.#session;
    if (session === null) return null;
    const { silenceMs = SILENCE_MS } = this.#options;
    let isSilent = false;
    const deadline = setTimeout(() => {
      isSilent = true;
      session.close();
    }, silenceMs);
    try {
      return await session.read();
    } catch (error) {
      throw isSilent ? connectionLost(`no answer in ${silenceMs / 1000} s`) : error;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** A name that is there at first and goes away later is no mistake of the one who typed it. */
  #refuseMissing(picture: WatchPicture | null): void {
    const { pipeline, isPatient } = this.#options;
    if (this.#hasStood || pipeline === undefined || isPatient) return;
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
    await this.#drop();
    const isAwaited = this.#hasStood || this.#options.isPatient === true;
    if (!isAwaited || !(told instanceof PgsluiceError)) throw told;
    this.#outage = { sinceMs: this.#outage?.sinceMs ?? startedMs, error: told };
  }
}
