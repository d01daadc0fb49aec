import { type EmbeddedFacts, embeddedFacts } from "./embedded_facts.ts";
import { fileSystemAnswers } from "./file_system_answers.ts";
import type { Ground, GroundOptions } from "./ground.ts";
import { nearestThere } from "./nearest_there.ts";
import { type DatabaseReach, reachDatabase } from "./reach_database.ts";

/** How long the connection, and an embedded server that was started for it, may take to end. */
const CLOSE_LIMIT_MS = 3_000;

/**
 * @param options.say Hears of the embedded server's start.
 * @returns `close()` lets go of the database; it never rejects.
 */
export function openGround(
  options: GroundOptions & { readonly say: (text: string) => void },
): Ground & { close(): Promise<void> } {
  let facts: Promise<EmbeddedFacts | null> | null = null;
  let reaching: Promise<DatabaseReach> | null = null;
  const { target } = options;
  const embedded = () =>
    facts ??= target.kind === "server" ? Promise.resolve(null) : embeddedIn(target.dataDirectory);
  return {
    ...options,
    embedded,
    reach: () => reaching ??= reach(),
    async close() {
      const reach = await reaching;
      if (reach === null || reach.kind === "unmade") return;
      if ("client" in reach) reach.client.destroy(); // nobody waits for what is under way
      const ended = "client" in reach ? reach.client.close() : reach.ending;
      let timer: number | undefined;
      const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_LIMIT_MS));
      await Promise.race([ended, timeout]);
      clearTimeout(timer);
    },
  };

  async function embeddedIn(dataDirectory: string): Promise<EmbeddedFacts> {
    await fileSystemAnswers(options, await nearestThere(dataDirectory));
    return await embeddedFacts(dataDirectory);
  }

  /** A start changes how the embedded server is found, so that is looked at first. */
  async function reach(): Promise<DatabaseReach> {
    try {
      const found = await embedded();
      if (found !== null && found.version === null) return { kind: "unmade" };
    } catch (error) {
      return { kind: "none", error };
    }
    return await reachDatabase(target, options);
  }
}
