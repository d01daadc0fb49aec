/**
 * Kills the real process, over and over, each time with a batch open, until the input is nearly
 * loaded; then lets it finish, and judges.
 *
 * Two lanes go side by side, each a pipeline: one moves its files to an archive, the other has a
 * file that grows while the ingester dies, its end always inside a price.
 */
import type { Sql } from "../database/connect.ts";
import { Random } from "../generate/random.ts";
import type { CampaignContext } from "./campaign.ts";
import { checkJournal } from "./check_journal.ts";
import { BATCH_ROWS } from "./ingest_options_of.ts";
import { judge, verifySoFar } from "./judge.ts";
import { KILL_PHASES, type KillPhase } from "./kill_phase.ts";
import type { KillPlan } from "./kill_switch.ts";
import { applyChanges, type FileChange } from "./planted_input.ts";
import { type LaneInput, laneInput } from "./lane_input.ts";
import type { TestedPipeline } from "./selftest_ground.ts";
import { runVictimProcess, type VictimEnd } from "./victim_process.ts";

/** Input for each kill: more than a life loads before it dies, in any phase. */
const EVENTS_PER_KILL = 3 * BATCH_ROWS;
/** Input for so many more, so that a life that loads more than its share does not load all. */
const SPARE_KILLS = 5;
/** Kills are spread over this part of the input; the last one must fall before `LAST_BEFORE`. */
const KILLED_PART = 0.8;
const LAST_BEFORE = 0.9;
const LAST_AFTER = 0.6;
/** One in so many kills comes a moment after its phase has begun, wherever that is. */
const DELAYED_ONE_IN = 4;
const DELAY_MAX_MS = 5;
/** With fewer kills the shares of the phases say nothing. */
const TELLING_KILLS = 20;
/** With fewer kills in a lane the last one's place says nothing. */
const TELLING_LANE_KILLS = 5;
const SMALLEST_SHARE = 0.05;
/** After so many kills of a lane, evenly, all that is committed is verified. */
const VERIFIED_KILLS = 40;
/** Batches in the database at a time: while one commits, others are open. */
const CONNECTIONS = 3;
const KILLS_PER_GROWTH = 4;

export async function runKillCampaign(
  context: CampaignContext,
  options: { readonly kills: number },
): Promise<void> {
  const { kills } = options;
  const archiving = new Lane(context, { archive: true, kills: Math.ceil(kills / 2) });
  const growing = new Lane(context, { archive: false, kills: Math.floor(kills / 2) });
  const ends = await Promise.allSettled([archiving.run(), growing.run()]);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  checkPhases(context, kills);
}

function checkPhases({ tally }: CampaignContext, kills: number): void {
  if (kills < TELLING_KILLS || tally.isBroken) return;
  for (const [phase, count] of tally.killsByPhase) {
    if (count >= SMALLEST_SHARE * kills) continue;
    tally.violate("kills", [`only ${count} of ${kills} fell in phase ${phase}`]);
  }
}

class Lane {
  readonly #context: CampaignContext;
  readonly #archive: boolean;
  readonly #kills: number;
  readonly #where: string;
  readonly #random: Random;
  readonly #countsByPhase: Map<KillPhase, number>;

  constructor(context: CampaignContext, options: { archive: boolean; kills: number }) {
    const { archive, kills } = options;
    this.#context = context;
    this.#archive = archive;
    this.#kills = kills;
    this.#where = archive ? "kills, archive" : "kills, growth";
    this.#random = new Random(context.seed, archive ? 1 : 2);
    const phases = KILL_PHASES.filter((phase) => archive || phase !== "archive");
    this.#countsByPhase = new Map(phases.map((phase) => [phase, 0]));
  }

  async run(): Promise<void> {
    if (this.#kills === 0) return;
    const { ground, seed, tally } = this.#context;
    const input = await laneInput({
      seed: seed + (this.#archive ? 1 : 2),
      events: EVENTS_PER_KILL * (this.#kills + SPARE_KILLS),
      growths: this.#archive ? 0 : Math.ceil(this.#kills / KILLS_PER_GROWTH),
      home: ground.home,
    });
    const pipeline = await ground.newPipeline(this.#archive ? "archive" : "growth");
    await applyChanges(input.changes, pipeline);
    const growths = [...input.growths];
    await this.#killAll(pipeline, { input, growths });
    for (const growth of growths) await applyChanges([growth], pipeline);
    const end = await this.#live(pipeline, null);
    if (end.kind === "failed") tally.violate(this.#where, [end.reason]);
    tally.violate(this.#where, await checkJournal(ground.sql, { pipeline, end: "clean" }));
    tally.judge(this.#where, await judge(ground.sql, { pipeline, truth: input.truth }));
    await ground.dropPipeline(pipeline);
  }

  /** @param options.growths taken from one after the other */
  async #killAll(
    pipeline: TestedPipeline,
    { input, growths }: { input: LaneInput; growths: FileChange[] },
  ): Promise<void> {
    const { ground, tally, progress, signal } = this.#context;
    const verifyEvery = Math.ceil(this.#kills / VERIFIED_KILLS);
    for (let done = 0; done < this.#kills && !tally.isBroken;) {
      signal.throwIfAborted();
      progress(`kills: ${tally.kills}`);
      if (done % KILLS_PER_GROWTH === 0) await applyChanges(growths.splice(0, 1), pipeline);
      const committed = await committedRecords(ground.sql, pipeline);
      const target = input.records * KILLED_PART * (done + 0.5) / this.#kills;
      const end = await this.#live(pipeline, {
        phase: this.#nextPhase(),
        afterCommits: Math.max(0, Math.round((target - committed) / BATCH_ROWS)),
        delayMs: this.#random.below(DELAYED_ONE_IN) === 0 ? this.#random.below(DELAY_MAX_MS) : 0,
      });
      if (end.kind === "killed") {
        done++;
        this.#count(end.report.phase);
        tally.violate(this.#where, await checkJournal(ground.sql, { pipeline, end: "killed" }));
        if (done % verifyEvery === 0) {
          tally.violate(this.#where, await verifySoFar(ground.sql, { pipeline, changes: [] }));
        }
        continue;
      }
      tally.violate(this.#where, [
        end.kind === "failed" ? end.reason : `all was loaded after ${done} of ${this.#kills} kills`,
      ]);
      return;
    }
    if (tally.isBroken) return;
    const part = await committedRecords(ground.sql, pipeline) / input.records;
    tally.noteLastKill(part);
    if (this.#kills >= TELLING_LANE_KILLS && (part < LAST_AFTER || part >= LAST_BEFORE)) {
      tally.violate(this.#where, [
        `the last kill fell at ${Math.round(100 * part)} % of the input`,
      ]);
    }
  }

  async #live(pipeline: TestedPipeline, kill: KillPlan | null): Promise<VictimEnd> {
    const { ground, signal, tally } = this.#context;
    const order = {
      url: ground.target.url,
      pipeline,
      archive: this.#archive,
      connections: CONNECTIONS,
      kill,
    };
    const end = await runVictimProcess(order, { signal });
    tally.lives++;
    return end;
  }

  #count(phase: KillPhase): void {
    this.#context.tally.countKill(phase);
    this.#countsByPhase.set(phase, (this.#countsByPhase.get(phase) ?? 0) + 1);
  }

  /** One of those that had fewest kills. */
  #nextPhase(): KillPhase {
    const fewest = Math.min(...this.#countsByPhase.values());
    const phases = [...this.#countsByPhase].filter(([, count]) => count === fewest);
    return this.#random.pick(phases)[0];
  }
}

async function committedRecords(sql: Sql, pipeline: TestedPipeline): Promise<number> {
  const [row] = await sql<{ records: number }[]>`
    select coalesce(sum(loaded + rejected + duplicate), 0)::float8 as records
    from pgsluice.files
    join pgsluice.pipelines using (pipeline_id)
    where name = ${pipeline.name}`;
  return row!.records;
}
