import type { DatabaseTarget } from "../database/database_target.ts";

/**
 * False if the target is an embedded server that has no data yet, which need not be made and
 * started only to find nothing in it.
 */
export async function hasData(target: DatabaseTarget): Promise<boolean> {
  if (target.kind === "server") return true;
  const { embeddedServerStatus } = await import("../database/embedded_server.ts");
  return (await embeddedServerStatus(target.dataDirectory)).version !== null;
}
