/** The commit that a folder of sources is at. */
export interface Commit {
  /**
   * 40 hexadecimal digits, and `-changed` if files that git knows, or would take, are not as they
   * are in the commit.
   */
  readonly name: string;
  /** When it was made, in seconds since 1970. */
  readonly epochSeconds: number;
}

/**
 * Asks `git`.
 *
 * @param directory The top of a checkout: one that merely lies in somebody's repository has none.
 * @returns Null if it is no checkout, or there is no git, or git does not trust the folder.
 */
export async function readCommit(directory: string): Promise<Commit | null> {
  const git = async (...args: string[]): Promise<string> => {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", directory, ...args],
      stdin: "null",
      stderr: "null",
    }).output();
    if (!success) throw new Error("git failed");
    return new TextDecoder().decode(stdout).trim();
  };
  try {
    await Deno.stat(`${directory}/.git`);
    const [id = "", time = ""] = (await git("log", "-1", "--format=%H %ct")).split(" ");
    const isChanged = await git("--no-optional-locks", "status", "--porcelain") !== "";
    return { name: id + (isChanged ? "-changed" : ""), epochSeconds: Number(time) };
  } catch {
    return null;
  }
}
