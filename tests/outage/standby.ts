import { join } from "@std/path";
import { connect } from "../../src/database/connect.ts";
import { clusterDirectory } from "../../src/database/server_home.ts";
import { SOCKET_PORT } from "../../src/database/socket_directory.ts";
import { newCluster, type OwnCluster, startOwnCluster } from "../database/own_cluster.ts";

/**
 * A replica of a server, streaming from it: a base backup as pg_basebackup makes one, which the
 * embedded package does not have, by the functions beneath it.
 */
export async function standbyOf(primary: OwnCluster): Promise<OwnCluster> {
  const cluster = await newCluster();
  const data = clusterDirectory(cluster.home);
  const client = await connect({ kind: "server", url: primary.url }, { applicationName: "backup" });
  try {
    await client.sql`select pg_backup_start('standby', fast => true)`;
    await copyFolder(clusterDirectory(primary.cluster.home), data);
    const [backup] = await client.sql<{ label: string }[]>`
      select labelfile as label from pg_backup_stop()`;
    await Deno.remove(join(data, "postmaster.pid"));
    await writeAs(cluster.account, join(data, "backup_label"), backup!.label);
    await writeAs(cluster.account, join(data, "standby.signal"), "");
    await Deno.writeTextFile(
      join(data, "postgresql.auto.conf"),
      `primary_conninfo = 'host=${primary.cluster.socketDirectory} port=${SOCKET_PORT} ` +
        "user=postgres'\n",
      { append: true },
    );
  } finally {
    await client.close();
  }
  return await startOwnCluster(cluster);
}

async function copyFolder(from: string, to: string): Promise<void> {
  const { code, stderr } = await new Deno.Command("cp", { args: ["-a", from, to] }).output();
  // files of temporary tables and the like may go while it copies
  const trouble = new TextDecoder().decode(stderr).replace(/.*No such file or directory\n/g, "");
  if (code !== 0 && trouble !== "") throw new Error(trouble);
}

async function writeAs(
  account: { uid: number; gid: number } | null,
  path: string,
  text: string,
): Promise<void> {
  await Deno.writeTextFile(path, text, { mode: 0o600 });
  if (account !== null) await Deno.chown(path, account.uid, account.gid);
}
