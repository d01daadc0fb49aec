import type {
  CompletedCommand,
  CompletedFlag,
  CompletedGroup,
  CompletionTable,
  Expected,
} from "./completion_table.ts";

/** A script for zsh: autoloaded from a folder of `fpath` as `_pgsluice`, or sourced. */
export function zshCompletion(table: CompletionTable): string {
  const alone = table.commands.filter(({ name }) => !name.includes(" "));
  return `#compdef pgsluice
# zsh completion of pgsluice, as \`pgsluice completion zsh\` prints it

# Completes in words[2] and after what may follow words[1].
_pgsluice_command() {
  local -a commands
  if ((CURRENT == 2)); then
    commands=(
${described(table.first)}
    )
    _describe -t commands 'command' commands
    return
  fi
  case $words[2] in
  help)
    shift words
    ((CURRENT--))
    _pgsluice_command
    ;;
${table.groups.map((group) => groupBranch(group, table)).join("\n")}
${alone.map((command) => argumentsBranch(command, 1)).join("\n")}
  esac
}

_pgsluice() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _pgsluice_command
}

if [[ $funcstack[1] == _pgsluice ]]; then
  _pgsluice "$@"
else
  compdef _pgsluice pgsluice
fi
`;
}

function groupBranch({ name, commands }: CompletedGroup, table: CompletionTable): string {
  const own = table.commands.filter((command) => command.name.startsWith(`${name} `));
  return `  ${name})
    if ((CURRENT == 3)); then
      commands=(
${described(commands)}
      )
      _describe -t commands ${quote(`${name} command`)} commands
      return
    fi
    case $words[3] in
${own.map((command) => argumentsBranch(command, 2)).join("\n")}
    esac
    ;;`;
}

/** @param depth How many words name the command. */
function argumentsBranch(command: CompletedCommand, depth: 1 | 2): string {
  const { name, flags, takesSubject } = command;
  const specs = [...flags.map(flagSpec), ...argumentSpec(command)];
  const shift = `shift ${depth} words
    ((CURRENT -= ${depth}))`;
  // its argument is another command, whose flags follow
  const subject = takesSubject
    ? `    if [[ $words[2] != -* ]]; then
      _pgsluice_command
      return
    fi
`
    : "";
  return `  ${name.split(" ").at(-1)})
    ${shift}
${subject}    _arguments -S \\
${specs.map((spec) => `      ${quote(spec)}`).join(" \\\n")}
    ;;`;
}

function flagSpec({ name, summary, placeholder, expected }: CompletedFlag): string {
  const head = `${name}${placeholder === null ? "" : "="}[${escape(summary)}]`;
  return placeholder === null ? head : `${head}:${escape(placeholder)}:${action(expected)}`;
}

function argumentSpec({ hasArguments, argument, argumentText }: CompletedCommand): string[] {
  return hasArguments ? [`*:${escape(argumentText)}:${action(argument)}`] : [];
}

function action({ words, paths }: Expected): string {
  if (words.length > 0) return `(${words.map(escape).join(" ")})`;
  if (paths === null) return " ";
  return paths === "files" ? "_files" : "_files -/";
}

function described(entries: readonly { name: string; summary: string }[]): string {
  return entries.map(({ name, summary }) => `      ${quote(`${name}:${escape(summary)}`)}`)
    .join("\n");
}

/** What has a meaning in the specifications of _arguments and _describe. */
function escape(text: string): string {
  return text.replace(/[\\[\]:()]/g, "\\$&");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
