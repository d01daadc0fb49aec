/**
 * Fails the first, second, third … operation of the ingester, once and for good, and judges after
 * each what is in the database: after SQLite's `do_faultsim_test`.
 */
import { Random } from "../generate/random.ts";
import type { ProbePoint } from "../probe.ts";
import type { CampaignContext } from "./campaign.ts";
import { checkJournal } from "./check_journal.ts";
import { chooseFaults } from "./choose_faults.ts";
import { FaultInjector, type PlannedFault } from "./fault_injector.ts";
import { judge, verifySoFar } from "./judge.ts";
import { Life } from "./life.ts";
import { applyChanges, hardInput, type InputStage } from "./planted_input.ts";
import type { TestedPipeline } from "./selftest_ground.ts";

/** Events of the generator in each run: little, for there are many runs. */
const EVENTS = 160;
const ROWS_PER_FILE = 80;
/** A lasting fault is a stop by its user after so many failures. */
const FAILURES_BORNE = 2;
/** Sessions that may begin in a row without a commit. */
const SESSIONS_BORNE = 5;

export async function runFaultCampaign(
  context: CampaignContext,
  options: { readonly faults: number },
): Promise<void> {
  const { ground, seed, tally, progress } = context;
  const stages = await hardInput({
    seed,
    events: EVENTS,
    rowsPerFile: ROWS_PER_FILE,
    home: ground.home,
  });
  const run = (fault: PlannedFault | null) => new FaultRun(context, fault).run(stages);
  const points = await run(null);
  const plan = chooseFaults(points, { most: options.faults, random: new Random(seed, 1) });
  for (const [index, fault] of plan.entries()) {
    if (tally.isBroken) return;
    progress(`faults: ${index + 1} of ${plan.length}`);
    await run(fault);
  }
  // where every operation had its turn, go on until a run is left without a fault
  if (plan.length < 2 * points.length) return;
  for (let nth = points.length + 1, before = -1; tally.faults !== before; nth++) {
    if (tally.isBroken) return;
    progress(`faults: operation ${nth}`);
    before = tally.faults;
    await run({ nth, manner: "once" });
    await run({ nth, manner: "lasting" });
  }
}

/** Loads all stages, with one fault somewhere. */
class FaultRun {
  readonly #context: CampaignContext;
  readonly #fault: PlannedFault | null;
  readonly #injector: FaultInjector;
  #life: Life | null = null;

  constructor(context: CampaignContext, fault: PlannedFault | null) {
    this.#context = context;
    this.#fault = fault;
    this.#injector = new FaultInjector(fault, (failures) => {
      if (failures === FAILURES_BORNE) this.#life?.stop();
    });
  }

  /** @returns the operations that there were, in order */
  async run(stages: readonly InputStage[]): Promise<readonly ProbePoint[]> {
    const { ground, tally } = this.#context;
    const pipeline = await ground.newPipeline("faults");
    for (const stage of stages) {
      const { changes, truth, archive } = stage;
      const wasStruck = this.#injector.struck !== null;
      await applyChanges(changes, pipeline);
      await this.#live(pipeline, archive);
      const isStruckHere = !wasStruck && this.#injector.struck !== null;
      if (isStruckHere) {
        tally.countFault(this.#injector.struck!);
        this.#violate(await verifySoFar(ground.sql, { pipeline, changes }));
        this.#violate(await checkJournal(ground.sql, { pipeline, end: "faulty" }));
        this.#injector.mend();
        // the restart that everybody tries first
        await this.#live(pipeline, archive);
      }
      if (!isStruckHere && stage !== stages.at(-1)) continue;
      this.#violate(await checkJournal(ground.sql, { pipeline, end: "clean" }));
      tally.judge(this.#where, await judge(ground.sql, { pipeline, truth }));
    }
    await ground.dropPipeline(pipeline);
    return this.#injector.points;
  }

  async #live(pipeline: TestedPipeline, archive: boolean): Promise<void> {
    const { ground, signal, tally } = this.#context;
    const wasStruck = this.#injector.struck !== null;
    const life = new Life({
      pipeline,
      target: ground.target,
      signal,
      probe: this.#injector.probe,
      sessionsBorne: SESSIONS_BORNE,
      archive,
    });
    this.#life = life;
    await life.ended;
    signal.throwIfAborted();
    tally.lives++;
    const mayEnd = !wasStruck && this.#mayEndLife(life);
    if (life.isStuck) this.#violate(["the ingester did not recover"]);
    if (life.error !== null && !mayEnd) this.#violate([`the ingester ended with ${life.error}`]);
  }

  /** A failure ends an ingester that has not begun yet, or has lost its folder; no other one. */
  #mayEndLife(life: Life): boolean {
    const { struck } = this.#injector;
    return struck !== null && (life.starts === 0 || struck === "folder.scan");
  }

  get #where(): string {
    if (this.#fault === null) return "faults, none";
    const { nth, manner } = this.#fault;
    return `faults, operation ${nth} (${this.#injector.struck ?? "not reached"}) ${manner}`;
  }

  #violate(sentences: readonly string[]): void {
    this.#context.tally.violate(this.#where, sentences);
  }
}
