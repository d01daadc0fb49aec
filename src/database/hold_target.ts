import type { DatabaseTarget } from "./database_target.ts";
import { holdEmbeddedServer } from "./embedded_server.ts";

/**
 * Keeps a target's server up over several connections, which would otherwise stop and start an
 * embedded one between them. A server of somebody else's is left alone.
 *
 * @returns Lets go; the caller's last connection should be closed by then. Twice is safe.
 * @throws {PgsluiceError} `embedded-…`.
 */
export async function holdTarget(
  target: DatabaseTarget,
  options: { say: (text: string) => void },
): Promise<() => Promise<void>> {
  if (target.kind === "server") return () => Promise.resolve();
  const hold = await holdEmbeddedServer(target.dataDirectory, options);
  return () => hold.release();
}
