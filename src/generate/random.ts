/** 2^-32: turns 32 random bits into a fraction. */
const PER_WORD = 1 / 0x1_0000_0000;

/** Rounds thrown away after seeding with three words, as PractRand does. */
const SEEDING_ROUNDS = 15;

/**
 * A seeded random number generator, the same on every machine: sfc32, "small fast counter", by
 * Chris Doty-Humphrey (PractRand, https://pracrand.sourceforge.net/RNG_engines.txt). Not for
 * secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /**
   * @param seed a whole number from 0 to 2^53-1
   * @param stream tells apart generators of the same seed, so that drawing more from one changes
   *   nothing in another
   */
  constructor(seed: number, stream: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed * PER_WORD) | 0;
    this.#c = stream | 0;
    for (let round = 0; round < SEEDING_ROUNDS; round++) this.word();
  }

  /** 32 random bits, as a whole number from 0 to 2^32-1. */
  word(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** Uniform in [0, 1), in steps of 2^-32. */
  fraction(): number {
    return this.word() * PER_WORD;
  }

  /** A whole number in [0, bound); even enough for bounds far below 2^32. */
  below(bound: number): number {
    return Math.floor(this.word() * PER_WORD * bound);
  }

  /** Exponentially distributed with this mean: the wait for the next of many independent things. */
  exponential(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  /** One of the choices, each as likely. @throws RangeError if there is none */
  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new RangeError("pick: there is nothing to pick from");
    return choices[this.below(choices.length)] as T;
  }
}
