import { type Check, ok, warning } from "./check.ts";
import { askServer } from "./reach_database.ts";

/** The quickest of so many answers tells most exactly. */
const ASKED = 5;
/** More is told: ages and delays, which compare both clocks, are wrong by as much. */
const SKEW_LIMIT_MS = 2_000;

/** This machine and the server agree on what time it is. */
export const clockCheck: Check = {
  name: "clock",
  async look(ground) {
    const sql = await askServer(ground);
    let best = { skewMs: 0, roundTripMs: Infinity };
    for (let asked = 0; asked < ASKED; asked++) {
      const sentMs = ground.machine.now();
      const started = performance.now();
      const [row] = await sql<{ serverMs: number }[]>`
        select (extract(epoch from clock_timestamp()) * 1000)::float8 as "serverMs"`;
      const roundTripMs = performance.now() - started;
      if (roundTripMs >= best.roundTripMs) continue;
      best = { skewMs: row!.serverMs - (sentMs + roundTripMs / 2), roundTripMs };
    }
    const skewS = (Math.abs(best.skewMs) / 1000).toFixed(1);
    const halfS = (best.roundTripMs / 2000).toFixed(1);
    // the clock was read at some moment of the round trip
    if (Math.abs(best.skewMs) - best.roundTripMs / 2 <= SKEW_LIMIT_MS) {
      return ok(`the server's clock and this one agree (${skewS} s apart, ± ${halfS} s)`);
    }
    const side = best.skewMs > 0 ? "ahead of" : "behind";
    return warning(
      `the server's clock is ${skewS} s ${side} this machine's: ages and delays are wrong by as much`,
      "let both keep their time by NTP: timedatectl set-ntp true",
    );
  },
};
