/** Records a second over the last second. */
export class Pace {
  #samples: { atMs: number; records: number }[] = [];

  perSecond(records: number): number {
    const nowMs = performance.now();
    this.#samples = this.#samples.filter(({ atMs }) => nowMs - atMs <= 1_000);
    this.#samples.push({ atMs: nowMs, records });
    const first = this.#samples[0]!;
    return nowMs === first.atMs ? 0 : (records - first.records) / (nowMs - first.atMs) * 1000;
  }
}
