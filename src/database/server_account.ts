/** The user that the embedded server runs as. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

const OVERFLOW_ID = 65534; // `nobody` on Linux, where no file says otherwise

/**
 * PostgreSQL refuses to run as root. So for root it is the user `postgres` or `nobody`, or whoever
 * owns the data already; for anyone else null, which means the same user.
 *
 * @param clusterDirectory The data, if there is any.
 */
export async function serverAccount(clusterDirectory: string): Promise<ServerAccount | null> {
  if (Deno.uid() !== 0) return null;
  try {
    const { uid, gid } = await Deno.stat(clusterDirectory);
    if (uid !== null && gid !== null && uid !== 0) return { uid, gid };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const users = await readUsers();
  return users.get("postgres") ?? users.get("nobody") ?? { uid: OVERFLOW_ID, gid: OVERFLOW_ID };
}

async function readUsers(): Promise<Map<string, ServerAccount>> {
  const users = new Map<string, ServerAccount>();
  let text: string;
  try {
    text = await Deno.readTextFile("/etc/passwd");
  } catch {
    return users; // a bare container has none
  }
  for (const line of text.split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name && uid && gid) users.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  return users;
}
