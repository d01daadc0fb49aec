import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Command } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { bashCompletion } from "../../src/cli/completion_bash.ts";
import { fishCompletion } from "../../src/cli/completion_fish.ts";
import {
  type CompletionTable,
  completionTable,
  type Expected,
  expectedAt,
} from "../../src/cli/completion_table.ts";
import { zshCompletion } from "../../src/cli/completion_zsh.ts";

const run = () => Promise.resolve(0);

/** One of each kind of thing, with what shells take amiss in its texts. */
const TABLE = completionTable(
  [
    {
      name: "ingest",
      summary: "watch [a] folder: it's `easy` $HOME \\o/",
      positionalsText: "[DIR|-]",
      maxPositionals: 1,
      flags: [
        { name: "once", kind: "switch", summary: "don't wait (really)" },
        { name: "table", kind: "text", placeholder: "NAME", summary: "the table" },
        {
          name: "after",
          kind: "text",
          placeholder: "keep|archive=DIR|delete",
          summary: "what then",
        },
        { name: "on-replaced", kind: "text", choices: ["hold", "reload"], summary: "or else" },
        { name: "checkpoints", kind: "text", placeholder: "DIR", summary: "where" },
        { name: "manifest", kind: "text", placeholder: "FILE", summary: "the truth" },
      ],
      run,
    },
    {
      name: "files undo",
      summary: "take out",
      positionalsText: "FILE…",
      maxPositionals: Infinity,
      flags: [{ name: "json", kind: "switch", summary: "as JSON" }],
      run,
    },
    { name: "files list", summary: "show", flags: [], run },
    { name: "config show", summary: "tell", subject: "ingest", flags: [], run },
    {
      name: "completion",
      summary: "print",
      positionalsText: "bash|zsh|fish",
      maxPositionals: 1,
      flags: [],
      run,
    },
  ] satisfies Command[],
);

interface Case {
  /** What is typed; completed at its end. */
  readonly line: string;
  readonly want: readonly string[];
}

/** In a folder that holds `data/`, `a b/` and `t.json`. */
const CASES: readonly Case[] = [
  { line: "pgsluice ", want: ["completion", "config", "files", "help", "ingest"] },
  { line: "pgsluice in", want: ["ingest"] },
  { line: "pgsluice files ", want: ["list", "undo"] },
  { line: "pgsluice files u", want: ["undo"] },
  { line: "pgsluice ingest --ta", want: ["--table"] },
  { line: "pgsluice ingest --once --on", want: ["--on-replaced", "--once"] },
  { line: "pgsluice ingest --on-replaced ", want: ["hold", "reload"] },
  { line: "pgsluice ingest --after a", want: ["archive="] },
  { line: "pgsluice ingest --checkpoints ", want: ["a b", "data"] },
  { line: "pgsluice ingest --checkpoints x ", want: ["a b", "data"] },
  { line: "pgsluice ingest --manifest t", want: ["t.json"] },
  { line: "pgsluice ingest --table ", want: [] },
  { line: "pgsluice ingest --once ", want: ["a b", "data"] },
  { line: "pgsluice files undo --", want: ["--config", "--json"] },
  { line: "pgsluice files undo --json t", want: ["t.json"] },
  { line: "pgsluice files list -- --", want: [] },
  { line: "pgsluice completion ", want: ["bash", "fish", "zsh"] },
  { line: "pgsluice help files ", want: ["list", "undo"] },
  { line: "pgsluice config show f", want: ["files"] },
  { line: "pgsluice config show --", want: ["--config"] },
  { line: "pgsluice config show files undo --j", want: ["--json"] },
  { line: "pgsluice frobnicate ", want: [] },
];

async function output(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    ...(cwd !== undefined && { cwd }),
  }).output();
  const text = new TextDecoder().decode(stderr);
  assert(success && text === "", `${program}: ${text}`);
  return new TextDecoder().decode(stdout);
}

function isInstalled(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A test that is skipped, and says why, where the shell is missing. */
function testIn(shell: string, name: string, fn: (folder: string) => Promise<void>): void {
  const isMissing = !isInstalled(shell);
  Deno.test({
    name: isMissing ? `${name} (skipped: no ${shell} here)` : name,
    ignore: isMissing,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        await Deno.mkdir(join(folder, "data"));
        await Deno.mkdir(join(folder, "a b"));
        await Deno.writeTextFile(join(folder, "t.json"), "");
        await fn(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** Writes the script and runs `driver`, which reads lines of `CASES` as arguments after it. */
async function completed(
  folder: string,
  { shell, script, driver }: { shell: readonly string[]; script: string; driver: string },
): Promise<Case[]> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, script);
    const [program, ...options] = shell;
    const lines = CASES.map(({ line }) => line);
    const text = await output(program!, [...options, "-c", driver, path, ...lines], folder);
    return text.split("\0").slice(0, -1).map((found, index) => ({
      line: lines[index]!,
      want: found.split("\n").filter((word) => word !== "").toSorted(),
    }));
  } finally {
    await Deno.remove(path);
  }
}

testIn("bash", "bash completes commands, flags, values, files and folders", async (folder) => {
  const found = await completed(folder, {
    shell: ["bash", "--norc", "--noprofile"],
    script: bashCompletion(TABLE),
    driver: `source "$0"
for line; do
  read -ra COMP_WORDS <<<"$line"
  [[ $line == *" " ]] && COMP_WORDS+=("")
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _pgsluice
  printf '%s\\n' "\${COMPREPLY[@]}"
  printf '\\0'
done`,
  });
  assertEquals(found, [...CASES]);
});

testIn("bash", "bash completes a value behind =, which it takes for a word", async (folder) => {
  const path = join(folder, "script");
  await Deno.writeTextFile(path, bashCompletion(TABLE));
  const driver = `source "$0"
COMP_WORDS=(pgsluice ingest --on-replaced = r)
COMP_CWORD=4
_pgsluice
echo "\${COMPREPLY[@]}"
COMP_CWORD=3
_pgsluice
echo "\${COMPREPLY[@]}"
complete -p pgsluice`;
  assertEquals(
    await output("bash", ["--norc", "--noprofile", "-uc", driver, path]),
    "reload\nhold reload\ncomplete -F _pgsluice pgsluice\n",
  );
});

testIn("fish", "fish completes commands, flags, values, files and folders", async (folder) => {
  const found = await completed(folder, {
    shell: ["fish", "--no-config"],
    script: fishCompletion(TABLE),
    driver: `source $argv[1]
for line in $argv[2..]
  complete -C "$line" | string replace -r '\\t.*' '' | string replace -r '/$' ''
  printf '\\0'
end`,
  });
  assertEquals(found, [...CASES]);
});

testIn("zsh", "zsh completes commands, flags and values", async (folder) => {
  const found = await completed(folder, {
    // its widgets run in a terminal only: what they would be told is looked at here
    shell: ["zsh", "-f"],
    script: zshCompletion(TABLE),
    driver: `compdef() { :; }
source "$0"
_describe() { print -rl -- "\${commands[@]%%:*}"; }
_files() { print -r -- files "$@"; }
_arguments() {
  [[ $1 == -S ]] && shift
  local current=$words[CURRENT] before=$words[CURRENT-1] spec
  for spec; do
    case $spec in
    "$before="*) [[ $current != -* ]] && print -r -- "value \${spec##*:}" ;;
    '*':*) [[ $current != -* ]] && print -r -- "argument \${spec##*:}" ;;
    "$current"*) [[ $current == -* ]] && print -r -- "\${\${spec%%\\[*}%=}" ;;
    esac
  done
}
for line; do
  words=(\${(s: :)line})
  [[ $line == *' ' ]] && words+=('')
  CURRENT=$#words
  _pgsluice
  printf '\\0'
done`,
  });
  const seen = new Map(found.map(({ line, want }) => [line, want]));
  for (const { line, want } of CASES) {
    const isOfCommand = /^pgsluice (?:help )?(?:\w*|files \w*|config show \w*)$/.test(line);
    const words = seen.get(line)!;
    if (isOfCommand) assert(want.every((word) => words.includes(word)), line);
    else if (/ --[a-z]*$/.test(line) && want.length > 0) assertEquals(words, [...want], line);
  }
  assertEquals(seen.get("pgsluice ingest --on-replaced "), [
    "argument _files -/",
    "value (hold reload)",
  ]);
  assertEquals(seen.get("pgsluice ingest --checkpoints ")?.at(-1), "value _files -/");
  assertEquals(seen.get("pgsluice ingest --manifest t")?.at(-1), "value _files");
  assertEquals(seen.get("pgsluice completion "), ["argument (bash zsh fish)"]);
  assertEquals(seen.get("pgsluice frobnicate "), []);
});

const WRITERS: Readonly<Record<string, (table: CompletionTable) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

for (const [shell, write] of Object.entries(WRITERS)) {
  testIn(
    shell,
    `${shell} can read the script, which has every command and flag`,
    async (folder) => {
      const script = write(completionTable(COMMANDS));
      const path = join(folder, "script");
      await Deno.writeTextFile(path, script);
      await output(shell, ["-n", path]);
      for (const { name, flags } of COMMANDS) {
        for (const word of name.split(" ")) assert(script.includes(word), name);
        for (const flag of flags) {
          const isThere = script.includes(`--${flag.name}`) || script.includes(`-l ${flag.name} `);
          assert(isThere, `${name} --${flag.name}`);
        }
      }
    },
  );
}

Deno.test("a placeholder says what may be typed in its place", () => {
  const cases: readonly (readonly [text: string, words: string, paths: Expected["paths"]])[] = [
    ["[DIR|-]", "", "directories"],
    ["FILE…", "", "files"],
    ["[FILE]", "", "files"],
    ["FILE|-", "", "files"],
    ["keep|archive=DIR|delete", "keep archive= delete", null],
    ["now", "now", null],
    ["N|P%", "", null],
    ["[-- PSQL ARGUMENTS]", "", null],
    ["", "", null],
  ];
  for (const [text, words, paths] of cases) {
    assertEquals(expectedAt(text), { words: words.split(" ").filter((word) => word), paths }, text);
  }
  assertEquals(expectedAt("STATE", ["held", "done"]).words, ["held", "done"]);
});
