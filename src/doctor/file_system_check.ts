import { type Check, ok, Skip, warning } from "./check.ts";
import { realFolder } from "./folder_check.ts";
import { isRemote, mountOf } from "./mounts.ts";

/** Who writes from elsewhere is not heard of. */
export const fileSystemCheck: Check = {
  name: "folder-file-system",
  applies: ({ folder }) => folder !== null,
  async look(ground) {
    const mount = await mountOf(await realFolder(ground), ground.machine);
    if (mount === null) throw new Skip("this system does not tell what file system it is on");
    const { type, place } = mount;
    if (!isRemote(mount)) return ok(`it is on ${type}, mounted on ${place}`);
    return warning(
      `it is on ${type}, mounted on ${place}: what other machines write there is not heard of, ` +
        "and only found by a scan, seconds later",
      "run pgsluice on the machine that has the disk, or let writers copy into a folder on a " +
        "local one; else nothing is lost but time",
    );
  },
};
