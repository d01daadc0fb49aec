import { join, resolve } from "@std/path";

export interface HomePaths {
  /** The default watched folder. */
  readonly events: string;
  /** The embedded server's files. */
  readonly postgres: string;
  /** The journals, one folder a pipeline. */
  readonly checkpoints: string;
}

/**
 * Where things live unless a flag says otherwise: under `PGSLUICE_HOME` where it is set, else under
 * the working folder. Absolute paths; nothing is created.
 */
export function homePaths(): HomePaths {
  const home = resolve(Deno.env.get("PGSLUICE_HOME") || Deno.cwd());
  return {
    events: join(home, "data", "events"),
    postgres: join(home, "data", "postgres"),
    checkpoints: join(home, "checkpoints"),
  };
}
