import { join } from "@std/path";
import { SYSUSERS_TEXT } from "../service/service_files.ts";
import { unitText } from "../service/unit.ts";
import type { ReleaseTexts } from "./release_contents.ts";
import { PROJECT } from "./staged_source.ts";

/**
 * Asks pgsluice itself.
 *
 * @throws if one of its commands fails
 */
export async function readReleaseTexts(): Promise<ReleaseTexts> {
  const [bash, zsh, fish, man] = await Promise.all([
    ask("completion", "bash"),
    ask("completion", "zsh"),
    ask("completion", "fish"),
    ask("man"),
  ]);
  return {
    unit: (executable) => unitText({ executable }),
    sysusers: SYSUSERS_TEXT,
    completions: { bash: bash!, zsh: zsh!, fish: fish! },
    man: man!,
  };
}

async function ask(...command: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", join(PROJECT, "main.ts"), ...command],
    stdin: "null",
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  const said = new TextDecoder().decode(stderr).trimEnd();
  throw new Error(`\`pgsluice ${command.join(" ")}\` failed: ${said}`);
}
