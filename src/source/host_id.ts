/** Where systemd and its like keep the machine's id. */
const MACHINE_ID_PATHS = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/** A name for this machine that stays: its machine id, else its host name. */
export async function hostId(): Promise<string> {
  for (const path of MACHINE_ID_PATHS) {
    try {
      const id = (await Deno.readTextFile(path)).trim();
      if (id !== "") return id;
    } catch {
      // absent or unreadable here
    }
  }
  return Deno.hostname();
}
