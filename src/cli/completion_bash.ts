import { type CompletionTable, type Expected, valueFlags } from "./completion_table.ts";

/** A script for bash 3.2, which macOS has, and later. */
export function bashCompletion(table: CompletionTable): string {
  const subjects = table.commands.filter(({ takesSubject }) => takesSubject);
  return `# bash completion of pgsluice, as \`pgsluice completion bash\` prints it

# Sets words, and paths to "files" or "directories", by what is typed before: the words of $1.
_pgsluice_next() {
  case $1 in
${branch("", { words: table.first.map(({ name }) => name), paths: null })}
${
    table.groups.map(({ name, commands }) =>
      branch(name, { words: commands.map((command) => command.name), paths: null })
    ).join("\n")
  }
  esac
}

# The same, for the argument of the command $1.
_pgsluice_argument() {
  case $1 in
${lines(table.commands.map(({ name, argument }) => branch(name, argument)))}
  *) ;;
  esac
}

_pgsluice_flags() {
  case $1 in
${
    table.commands.map(({ name, flags }) =>
      branch(name, { words: flags.map((flag) => flag.name), paths: null })
    ).join("\n")
  }
  esac
}

# The same, for the value of the flag $1; fails for a switch, which has none.
_pgsluice_value() {
  case $1 in
${lines(valueFlags(table).map(({ name, expected }) => branch(name, expected)))}
${anyValue(table)}
  *) return 1 ;;
  esac
}

_pgsluice() {
  local current=\${COMP_WORDS[COMP_CWORD]} words= paths= name index word
  local -a typed
  typed=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    # bash takes --flag=value apart
    [[ \${COMP_WORDS[index]} == "=" ]] || typed+=("\${COMP_WORDS[index]}")
  done
  [[ $current == "=" ]] && current=
  COMPREPLY=()

  while :; do
    case "\${typed[0]-} \${typed[1]-}" in
    "help "*) typed=("\${typed[@]:1}") ;;
${
    subjects.map(({ name }) =>
      `    ${quote(name)})
      # its argument is another command
      [[ \${typed[2]-$current} != -* ]] || break
      typed=("\${typed[@]:2}")
      ;;`
    ).join("\n")
  }
    *) break ;;
    esac
  done

  name=\${typed[0]-}
  _pgsluice_next "$name"
  if [[ -n $words && -n $name ]]; then
    name="$name \${typed[1]-}"
    [[ -n \${typed[1]-} ]] && words=
  fi

  if [[ -z $words ]]; then
    word=
    ((\${#typed[@]} > 0)) && word=\${typed[\${#typed[@]} - 1]}
    for index in "\${typed[@]}"; do
      [[ $index == -- ]] && word=--
    done
    if [[ $word == --?* ]] && _pgsluice_value "$word"; then
      :
    elif [[ $current == -* && $word != -- ]]; then
      _pgsluice_flags "$name"
    else
      _pgsluice_argument "$name"
    fi
  fi

  while IFS= read -r word; do
    [[ -n $word ]] && COMPREPLY+=("$word")
  done < <(
    compgen -W "$words" -- "$current"
    [[ $paths == files ]] && compgen -f -- "$current"
    [[ $paths == directories ]] && compgen -d -- "$current"
  )
  # without compopt, which bash 3.2 has not, a blank follows
  if [[ -n $paths ]]; then
    compopt -o filenames 2>/dev/null
  elif [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace 2>/dev/null
  fi
  return 0
}

complete -F _pgsluice pgsluice
`;
}

/** Empty where nothing is known of what may follow. */
function branch(label: string, { words, paths }: Expected): string {
  if (words.length === 0 && paths === null) return "";
  const set = [
    ...(words.length > 0 ? [`words=${quote(words.join(" "))}`] : []),
    ...(paths !== null ? [`paths=${paths}`] : []),
  ];
  return `  ${quote(label)}) ${set.join(" ")} ;;`;
}

/** The flags with values that only the user knows. */
function anyValue(table: CompletionTable): string {
  const names = valueFlags(table)
    .filter(({ expected: { words, paths } }) => words.length === 0 && paths === null)
    .map(({ name }) => name);
  return names.length === 0 ? "" : `  ${names.join(" | ")}) ;;`;
}

function lines(branches: readonly string[]): string {
  return branches.filter((text) => text !== "").join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
