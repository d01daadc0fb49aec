import { type Check, type Finding, ok, warning } from "./check.ts";
import { realFolder } from "./folder_check.ts";
import { inotifyUse } from "./inotify_use.ts";
import type { Machine } from "./machine.ts";
import { reasonOf } from "./reason_of.ts";

/** A limit is near when more than this part of it is used. */
const NEAR = 0.9;
const SCANNED_INSTEAD = "without a watch the folder is scanned, so that files come in later";

/** The system tells of what happens in the folder, and has room for one more who asks. */
export const watchCheck: Check = {
  name: "folder-watch",
  applies: ({ folder }) => folder !== null,
  async look(ground) {
    const directory = await realFolder(ground);
    try {
      Deno.watchFs(directory, { recursive: ground.folder!.recursive }).close();
    } catch (error) {
      return warning(
        `${directory} cannot be watched: ${reasonOf(error)}; ${SCANNED_INSTEAD}`,
        "raise the limits: sysctl fs.inotify.max_user_watches=524288 " +
          "fs.inotify.max_user_instances=512, and keep it in /etc/sysctl.d",
      );
    }
    return await limits(ground.machine);
  },
};

async function limits(machine: Machine): Promise<Finding> {
  const [instanceLimit, watchLimit] = await Promise.all([
    limit(machine, "max_user_instances"),
    limit(machine, "max_user_watches"),
  ]);
  if (instanceLimit === null || watchLimit === null) return ok("it can be watched");
  const { instances, watches } = await inotifyUse();
  const used = `this user has ${instances} of ${instanceLimit} inotify instances and ${watches} ` +
    `of ${watchLimit} watches`;
  if (instances <= NEAR * instanceLimit && watches <= NEAR * watchLimit) {
    return ok(`it can be watched; ${used}`);
  }
  const setting = instances > NEAR * instanceLimit ? "max_user_instances" : "max_user_watches";
  const raised = 4 * (setting === "max_user_instances" ? instanceLimit : watchLimit);
  return warning(
    `it can be watched, but not much more can: ${used}; ${SCANNED_INSTEAD}`,
    `sysctl fs.inotify.${setting}=${raised}, and keep it in /etc/sysctl.d`,
  );
}

async function limit(machine: Machine, name: string): Promise<number | null> {
  const text = await machine.readProc(`/proc/sys/fs/inotify/${name}`);
  return text === null ? null : Number(text);
}
