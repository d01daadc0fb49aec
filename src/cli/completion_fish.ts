import type {
  CompletedCommand,
  CompletedFlag,
  CompletionTable,
  Expected,
} from "./completion_table.ts";

/** A script for fish 3 and later. */
export function fishCompletion(table: CompletionTable): string {
  const subjects = table.commands.filter(({ takesSubject }) => takesSubject);
  const lines = [
    ...table.first.map(({ name, summary }) => word(name, { summary, after: "" })),
    ...table.groups.flatMap(({ name: group, commands }) =>
      commands.map(({ name, summary }) => word(name, { summary, after: group }))
    ),
    ...table.commands.flatMap(commandLines),
  ];
  return `# fish completion of pgsluice, as \`pgsluice completion fish\` prints it

# The words before the cursor that name a command; those that say which command to tell about,
# as "help", are left out.
function __pgsluice_words
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        if test "$words[1]" = help
            set -e words[1]
${
    subjects.map(({ name }) =>
      `        else if test "$words[1..2]" = ${quote(name)}
            # its argument is another command
            if string match -q -- '-*' "$words[3]"
                break
            end
            if not set -q words[3]; and string match -q -- '-*' (commandline -ct)
                break
            end
            set -e words[1..2]`
    ).join("\n")
  }
        else
            break
        end
    end
    printf '%s\\n' $words
end

function __pgsluice_after
    test (string join ' ' -- (__pgsluice_words)) = "$argv"
end

function __pgsluice_in
    set -l words (__pgsluice_words)
    set -l count (count (string split ' ' -- $argv))
    test (count $words) -ge $count; and test "$words[1..$count]" = "$argv"
end

complete -c pgsluice -f
${lines.join("\n")}
`;
}

function word(name: string, { summary, after }: { summary: string; after: string }): string {
  return `complete -c pgsluice -n ${quote(`__pgsluice_after ${quote(after)}`)} ` +
    `-a ${quote(name)} -d ${quote(summary)}`;
}

function commandLines(command: CompletedCommand): string[] {
  const condition = `-n ${quote(`__pgsluice_in ${quote(command.name)}`)}`;
  const argument = argumentOptions(command.argument);
  return [
    ...command.flags.map((flag) =>
      `complete -c pgsluice ${condition} ${flagOptions(flag)} -d ${quote(flag.summary)}`
    ),
    ...(argument === null ? [] : [`complete -c pgsluice ${condition} ${argument}`]),
  ];
}

function flagOptions({ name, placeholder, expected }: CompletedFlag): string {
  const option = `-l ${name.slice(2)}`;
  if (placeholder === null) return option;
  // -r: it takes a value; -x: and no file
  const needs = expected.paths === "files" ? "-r" : "-x";
  return `${option} ${needs} ${argumentOptions(expected) ?? ""}`.trimEnd();
}

/** Null where nothing is known of what may follow. */
function argumentOptions({ words, paths }: Expected): string | null {
  if (words.length > 0) return `-a ${quote(words.join(" "))}`;
  if (paths === null) return null;
  return paths === "files" ? "-F" : "-a '(__fish_complete_directories (commandline -ct))'";
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
