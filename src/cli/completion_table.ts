/** What the shells' completions are made from: the commands, their flags, and what may follow. */
import type { Command, Flag } from "./command.ts";
import { configFlag } from "./common_flags.ts";

/** What may be typed where a placeholder stands. */
export interface Expected {
  readonly words: readonly string[];
  /** FILE includes folders, which a file may be in. */
  readonly paths: "files" | "directories" | null;
}

export interface CompletedFlag {
  /** With its dashes. */
  readonly name: string;
  readonly summary: string;
  /** As in help; null for a switch, which takes no value. */
  readonly placeholder: string | null;
  readonly expected: Expected;
}

export interface CompletedCommand {
  /** One word, or two for a command of a group. */
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  readonly argument: Expected;
  readonly argumentText: string;
  readonly hasArguments: boolean;
  readonly takesSubject: boolean;
}

export interface CompletedGroup {
  readonly name: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
}

export interface CompletionTable {
  /** What may stand first: commands, groups, `help`. */
  readonly first: readonly { readonly name: string; readonly summary: string }[];
  readonly groups: readonly CompletedGroup[];
  readonly commands: readonly CompletedCommand[];
}

export function completionTable(commands: readonly Command[]): CompletionTable {
  const completed = commands.map(completedCommand);
  const groups = groupsOf(completed);
  return {
    first: [
      ...completed.filter(({ name }) => !name.includes(" ")),
      ...groups.map(({ name, commands }) => ({
        name,
        summary: commands.map((command) => command.name).join(", "),
      })),
      { name: "help", summary: "show the commands, or the flags of one" },
    ],
    groups,
    commands: completed,
  };
}

/** Every flag that takes a value, once. */
export function valueFlags({ commands }: CompletionTable): readonly CompletedFlag[] {
  const flags = new Map(
    commands.flatMap(({ flags }) => flags).map((flag) => [flag.name, flag] as const),
  );
  return [...flags.values()].filter(({ placeholder }) => placeholder !== null);
}

/** @param text A placeholder or `positionalsText`, as in `[DIR|-]` or `keep|archive=DIR|delete`. */
export function expectedAt(text: string, choices: readonly string[] = []): Expected {
  const parts = text.replace(/[[\]…]/g, "").split(/[ |]/);
  const words = parts
    .filter((part) => /^[a-z][a-z-]*(?:=[A-Z]+)?$/.test(part))
    .map((part) => part.replace(/=.*/, "="));
  return {
    words: [...new Set([...choices, ...words])],
    paths: parts.includes("FILE") ? "files" : parts.includes("DIR") ? "directories" : null,
  };
}

function completedCommand(command: Command): CompletedCommand {
  const { name, summary, flags, positionalsText = "", maxPositionals = 0, subject } = command;
  return {
    name,
    summary,
    // also where it has no effect: it is accepted
    flags: [...flags, configFlag].map(completedFlag),
    argument: expectedAt(positionalsText),
    argumentText: positionalsText,
    hasArguments: maxPositionals > 0,
    takesSubject: subject !== undefined,
  };
}

function completedFlag({ name, kind, summary, placeholder, choices }: Flag): CompletedFlag {
  const isSwitch = kind === "switch";
  const text = placeholder ?? choices?.join("|") ?? "VALUE";
  return {
    name: `--${name}`,
    summary,
    placeholder: isSwitch ? null : text,
    expected: isSwitch ? { words: [], paths: null } : expectedAt(text, choices),
  };
}

function groupsOf(commands: readonly CompletedCommand[]): CompletedGroup[] {
  const groups = new Map<string, { name: string; summary: string }[]>();
  for (const { name, summary } of commands) {
    const [group, word] = name.split(" ");
    if (word === undefined) continue;
    groups.set(group!, [...(groups.get(group!) ?? []), { name: word, summary }]);
  }
  return [...groups].map(([name, commands]) => ({ name, commands }));
}
