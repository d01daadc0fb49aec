/** A folder and a database to look at, for tests of `pgsluice doctor`. */
import { setColorEnabled } from "@std/fmt/colors";
import { join } from "@std/path";
import type { DatabaseTarget } from "../../src/database/database_target.ts";
import type { Check } from "../../src/doctor/check.ts";
import type { GroundOptions, WatchedFolder } from "../../src/doctor/ground.ts";
import { type Machine, thisMachine } from "../../src/doctor/machine.ts";
import { openGround } from "../../src/doctor/open_ground.ts";
import { type CheckResult, runChecks } from "../../src/doctor/run_checks.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";

// what the command writes is read here as text
setColorEnabled(false);

/** Nothing listens there. */
export const NO_SERVER: DatabaseTarget = {
  kind: "server",
  url: "postgresql://nobody@127.0.0.1:1/nothing",
};

export interface Look extends Partial<Omit<GroundOptions, "folder" | "machine">> {
  readonly folder?: Partial<WatchedFolder>;
  readonly machine?: Partial<Machine>;
}

/** Makes one check, in a folder that is removed afterwards: `home`, with `events` in it. */
export async function lookAt(
  check: Check,
  prepare: (home: string) => Look | Promise<Look>,
): Promise<CheckResult> {
  const home = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(join(home, "events"));
    const { folder, machine, ...look } = await prepare(home);
    const ground = openGround({
      folder: {
        path: join(home, "events"),
        isDefault: false,
        recursive: false,
        after: "keep",
        ...folder,
      },
      target: NO_SERVER,
      schema: USER_EVENTS,
      table: USER_EVENTS.table,
      pipeline: "default",
      timeZone: "UTC",
      connections: 4,
      checkpointsDirectory: join(home, "checkpoints"),
      machine: { ...thisMachine, ...machine },
      say: () => {},
      ...look,
    });
    try {
      return (await runChecks([check], ground))[0]!;
    } finally {
      await ground.close();
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** The same of a database, and nothing else. */
export function lookAtDatabase(
  check: Check,
  url: string,
  look: Look = {},
): Promise<CheckResult> {
  return lookAt(check, () => ({ target: { kind: "server", url }, ...look }));
}

/** What a check found, as one line: `status found → remedy`. */
export function line({ status, found, remedy }: CheckResult): string {
  return `${status} ${found}${remedy === null ? "" : ` → ${remedy}`}`;
}
