/** @returns null if the program runs, else a sentence. */
export async function whyNotInstalled(
  program: string,
  args: readonly string[],
): Promise<string | null> {
  try {
    const { success } = await new Deno.Command(program, { args: [...args], stdin: "null" })
      .output();
    return success ? null : `${program} ${args.join(" ")} fails`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `${program} is not on PATH`;
  }
}
