/**
 * How much inotify this user's processes use, as far as /proc shows them: the kernel's limits are
 * counted by user.
 * @see proc(5), /proc/pid/fdinfo
 */
export async function inotifyUse(): Promise<{ instances: number; watches: number }> {
  let instances = 0;
  let watches = 0;
  for (const process of await namesIn("/proc")) {
    if (!/^\d+$/.test(process)) continue;
    const owner = await Deno.stat(`/proc/${process}`).then(({ uid }) => uid, () => null);
    if (owner !== Deno.uid()) continue;
    for (const file of await namesIn(`/proc/${process}/fd`)) {
      const target = await Deno.readLink(`/proc/${process}/fd/${file}`).catch(() => "");
      if (target !== "anon_inode:inotify") continue;
      instances++;
      const text = await Deno.readTextFile(`/proc/${process}/fdinfo/${file}`).catch(() => "");
      watches += text.match(/^inotify wd:/gm)?.length ?? 0;
    }
  }
  return { instances, watches };
}

/** None of a folder that is gone or closed. */
async function namesIn(path: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
  } catch {
    return [];
  }
}
