import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import type { CompletionTable } from "./completion_table.ts";
import { suggestion } from "./suggestion.ts";
import { usageError } from "./usage_error.ts";

/** Each loads what writes its shell's script. */
const WRITERS: Readonly<Record<string, () => Promise<(table: CompletionTable) => string>>> = {
  bash: async () => (await import("./completion_bash.ts")).bashCompletion,
  zsh: async () => (await import("./completion_zsh.ts")).zshCompletion,
  fish: async () => (await import("./completion_fish.ts")).fishCompletion,
};

export const completionCommand: Command = {
  name: "completion",
  summary: "print a script with which a shell completes commands and flags",
  positionalsText: "bash|zsh|fish",
  maxPositionals: 1,
  flags: [],
  details: `For one user, each in the file that the shell reads at its start:

  bash  ~/.bashrc                     source <(pgsluice completion bash)
  zsh   ~/.zshrc, below compinit      source <(pgsluice completion zsh)
  fish  ~/.config/fish/config.fish    pgsluice completion fish | source

For all users:

  pgsluice completion bash > /usr/share/bash-completion/completions/pgsluice
  pgsluice completion zsh > /usr/share/zsh/vendor-completions/_pgsluice
  pgsluice completion fish > /usr/share/fish/vendor_completions.d/pgsluice.fish`,
  run: runCompletion,
};

async function runCompletion({ positionals, terminal }: CommandContext): Promise<number> {
  const [shell] = positionals;
  const shells = Object.keys(WRITERS);
  const load = shells.includes(shell ?? "") ? WRITERS[shell!] : undefined;
  if (load === undefined) {
    throw usageError(
      shell === undefined
        ? `completion needs the name of a shell: ${shells.join(", ")}`
        : `completion: expected one of ${shells.join(", ")}, got ${JSON.stringify(shell)}`,
      `pgsluice completion ${suggestion(shell ?? "", shells) ?? "bash"}`,
    );
  }
  const { COMMANDS } = await import("./commands.ts");
  const { completionTable } = await import("./completion_table.ts");
  await terminal.write((await load())(completionTable(COMMANDS)));
  return EXIT.done;
}
