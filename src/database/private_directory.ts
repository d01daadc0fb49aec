import type { ServerAccount } from "./server_account.ts";

/** Makes a folder that only the server's user can enter. */
export async function makePrivateDirectory(
  path: string,
  account: ServerAccount | null,
): Promise<void> {
  await Deno.mkdir(path, { mode: 0o700 });
  if (account !== null) await Deno.chown(path, account.uid, account.gid);
}
