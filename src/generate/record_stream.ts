import type { Schema } from "../schema/schema.ts";
import { Catalogue } from "./catalogue.ts";
import { type ApplicableDefect, applicableDefects } from "./defects.ts";
import { EventWriter } from "./event_writer.ts";
import { Random } from "./random.ts";
import { RecentRows } from "./recent_rows.ts";
import { RowBuffer } from "./row_buffer.ts";
import type { ShopEvent } from "./shop_event.ts";
import { Shoppers } from "./shoppers.ts";

/** Generators of the same seed, each for a purpose of its own. */
const SHOP_STREAM = 1;
const NOISE_STREAM = 2;

/** Cents gathered as a number, far below 2^53, before they go to the exact sum. */
const MAX_GATHERED_CENTS = 2 ** 50;

const NEWLINE = 0x0a;

export interface RecordStreamOptions {
  readonly schema: Schema;
  /** A whole number from 0 to 2^53-1. */
  readonly seed: number;
  /** Epoch ms; no event is earlier. */
  readonly startMs: number;
  /** 0 to 100; together with the duplicates not more than 100. */
  readonly dirtyPercent: number;
  readonly duplicatesPercent: number;
}

/**
 * The endless stream of records, without headers: a function of its options alone. The valid
 * events in it are the same, in the same order, whatever the percentages of dirt and duplicates.
 *
 * Invariant: `valid + duplicates +` the sum of `defects` is the number of records written.
 */
export class RecordStream {
  /** The header line, newline included. */
  readonly header: Uint8Array<ArrayBuffer>;
  valid = 0;
  duplicates = 0;
  readonly #shoppers: Shoppers;
  readonly #writer: EventWriter;
  readonly #dirty: number;
  readonly #noisy: number;
  readonly #noise: Random;
  readonly #event: ShopEvent;
  readonly #strayEvent: ShopEvent;
  readonly #recentRows: RecentRows | null;
  readonly #applicableDefects: readonly ApplicableDefect[];
  /** Of kinds that are rare on purpose: records written when the kind last was, 0 if never. */
  readonly #lastOfKind = new Map<string, number>();
  readonly #scratch = new RowBuffer(1024);
  readonly #defectCounts = new Map<string, number>();
  #recordCount = 0;
  /** The next row puts its texts in quotes, so that an open quote before it is soon found out. */
  #quoteNext = false;
  #gatheredCents = 0;
  #priceCents = 0n;

  constructor(options: RecordStreamOptions) {
    this.#shoppers = new Shoppers(new Catalogue(options.seed), {
      startMs: options.startMs,
      random: new Random(options.seed, SHOP_STREAM),
    });
    this.#writer = new EventWriter(options.schema);
    this.header = this.#writer.header;
    this.#dirty = options.dirtyPercent / 100;
    this.#noisy = (options.dirtyPercent + options.duplicatesPercent) / 100;
    this.#noise = new Random(options.seed, NOISE_STREAM);
    this.#event = this.#shoppers.blankEvent();
    this.#strayEvent = this.#shoppers.blankEvent();
    this.#recentRows = options.duplicatesPercent > 0 ? new RecentRows() : null;
    this.#applicableDefects = applicableDefects(this.#writer.columns);
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Defective records by kind, kinds that did not occur left out. */
  get defects(): Record<string, number> {
    return Object.fromEntries(
      this.#applicableDefects.flatMap(({ kind }) => {
        const count = this.#defectCounts.get(kind.name);
        return count === undefined ? [] : [[kind.name, count]];
      }),
    );
  }

  /** Sum of the price over the valid events, in cents; 0 if the schema has no such column. */
  get priceCents(): bigint {
    return this.#priceCents + BigInt(this.#gatheredCents);
  }

  /** Appends one record, newline included. */
  write(out: RowBuffer): void {
    const lot = this.#noisy > 0 ? this.#noise.fraction() : 1;
    if (lot < this.#dirty) this.#writeDefect(out);
    else if (lot < this.#noisy && !this.#recentRows!.isEmpty) this.#writeDuplicate(out);
    else this.#writeValid(out);
    this.#recordCount++;
  }

  #writeValid(out: RowBuffer): void {
    const event = this.#event;
    this.#shoppers.next(event);
    const startByte = out.length;
    this.#writer.writeRow(event, out, this.#quoteNext);
    this.#quoteNext = false;
    this.#recentRows?.add(out.bytes, { startByte, endByte: out.length });
    this.valid++;
    if (!this.#writer.hasPrice) return;
    this.#gatheredCents += event.product.priceCents;
    if (this.#gatheredCents < MAX_GATHERED_CENTS) return;
    this.#priceCents += BigInt(this.#gatheredCents);
    this.#gatheredCents = 0;
  }

  #writeDuplicate(out: RowBuffer): void {
    out.writeBytes(this.#recentRows!.pick(this.#noise));
    this.duplicates++;
  }

  #writeDefect(out: RowBuffer): void {
    const noise = this.#noise;
    const { kind, places } = this.#pickDefect();
    const place = noise.pick(places);
    const event = this.#strayEvent;
    event.timeMs = this.#event.timeMs;
    this.#shoppers.stray(event, noise);
    const fields = this.#writer.rawFields(event, this.#scratch);
    const column = this.#writer.columns[place]!;
    const line = kind.spoil({ fields, place, column }, noise);
    for (let at = 0; at < line.length; at++) out.writeByte(line.charCodeAt(at));
    out.writeByte(NEWLINE);
    this.#quoteNext ||= kind.name === "open_quote";
    this.#defectCounts.set(kind.name, (this.#defectCounts.get(kind.name) ?? 0) + 1);
  }

  #pickDefect(): ApplicableDefect {
    for (;;) {
      const defect = this.#noise.pick(this.#applicableDefects);
      const { name, eventsPerDefect } = defect.kind;
      if (eventsPerDefect === undefined) return defect;
      if (this.#recordCount - (this.#lastOfKind.get(name) ?? 0) >= eventsPerDefect) {
        this.#lastOfKind.set(name, this.#recordCount);
        return defect;
      }
    }
  }
}
