import { PgsluiceError } from "../pgsluice_error.ts";
import { type Check, type Finding, ok, problem, together, warning } from "./check.ts";
import type { EmbeddedFacts } from "./embedded_facts.ts";
import type { Ground } from "./ground.ts";
import { isRemote, mountOf } from "./mounts.ts";
import { nearestThere } from "./nearest_there.ts";
import { withProbeFile } from "./probe_folder.ts";
import { reasonOf } from "./reason_of.ts";

/** Nothing of a killed embedded server, or of killed users of it, is left. */
export const embeddedCheck: Check = {
  name: "embedded-server",
  applies: ({ target }) => target.kind === "embedded",
  async look(ground) {
    let facts: EmbeddedFacts | null;
    try {
      facts = await ground.embedded();
    } catch (error) {
      if (error instanceof PgsluiceError) return problem(error.message, error.hint);
      throw error;
    }
    const { home, version } = facts!;
    const there = await nearestThere(home);
    const state = version === null ? await makeable(home, there) : judge(facts!);
    return together([state, ...await fileSystem(ground, there)]);
  },
};

function judge(facts: EmbeddedFacts): Finding {
  const { home, isUp, isKept, hasUsers, wasKilled, orphans, logFile, version } = facts;
  if (orphans.length > 0) {
    return problem(
      `the server in ${home} was killed, and processes of it keep a new one from starting: ` +
        orphans.join(", "),
      `kill ${orphans.join(" ")}`,
    );
  }
  if (wasKilled) {
    return warning(
      `the server in ${home} was killed, and left its lock file; what was committed is there`,
      `any command starts it again, as this one did; see why: tail ${logFile}, dmesg`,
    );
  }
  const server = `PostgreSQL ${version} in ${home}`;
  if (!isUp) return ok(`${server} is down, and starts when it is needed`);
  if (isKept) return ok(`${server} is up until \`pgsluice db stop\``);
  if (hasUsers !== false) return ok(`${server} is up while commands use it`);
  return warning(
    `${server} was left up by a command that was killed`,
    "none is needed: it stops with the next command that ends, as this one (or pgsluice db stop)",
  );
}

async function makeable(home: string, there: string): Promise<Finding> {
  try {
    await withProbeFile(there, () => Promise.resolve());
    return ok(`it is made in ${home} when it is first needed`);
  } catch (error) {
    return problem(
      `it cannot be made in ${home}: ${reasonOf(error)}`,
      "set PGSLUICE_HOME to a folder of this user, or name a server with --database",
    );
  }
}

async function fileSystem({ machine }: Ground, there: string): Promise<Finding[]> {
  const mount = await mountOf(await Deno.realPath(there), machine);
  if (mount === null || !isRemote(mount)) return [];
  return [warning(
    `its data is on ${mount.type}, mounted on ${mount.place}, which may lose what it said is written`,
    "set PGSLUICE_HOME to a folder on a disk of this machine",
  )];
}
