import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { queryCommand } from "../src/cli/query.ts";
import { COMMANDS } from "../src/cli/commands.ts";
import { schemaHelp } from "../src/schema/schema_help.ts";
import { USER_EVENTS } from "../src/schema/user_events.ts";
import { runCommand } from "./support/run_command.ts";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));
const README = await Deno.readTextFile(join(ROOT, "README.md"));

/** By path from the root, without comments. */
const SOURCES: ReadonlyMap<string, string> = readSources("src");

/** The folders in which records are rejected. */
const REJECTING = /^src\/(?:csv|schema|sink|pipeline|rejects)\//;

/** What a property, parameter or constant `code` is, up to what ends the expression. */
const NAMED_CODE = /(?:\bcode:|\b(?:const|let) code =)\s+([^,;})]+)/g;

/** What the README calls a code that the server gives. */
const SQLSTATE = "five characters";

/** What stands for the code of a reject where no literal does, and none is handed on. */
const REJECT_EXPRESSIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ["string", []], // a type
  ["string | null", []],
  ["null", []],
  ["state", [SQLSTATE]],
]);

/** Where the literals are of a code that is none at the place where the error is made. */
interface Literals {
  readonly path: string;
  /** Its groups are the codes. */
  readonly pattern: RegExp;
  /** Makes the code of what was found; which is the code itself unless given. */
  readonly rewrite?: (found: string) => string;
}

const OF_HEADER: Literals = {
  path: "src/schema/header_mapping.ts",
  pattern: /\bfault\(\s*"([^"]+)"/g,
};

/** By path, class and first argument. */
const COMPUTED: ReadonlyMap<string, Literals> = new Map<string, Literals>([
  ["src/database/fault.ts: PgsluiceError(explanation.code)", {
    path: "src/database/fault.ts",
    pattern: /\bcode: "([^"]+)"/g,
  }],
  ['src/pipeline/stream_intake.ts: PgsluiceError(fault.code.replaceAll("_", "-"))', {
    path: "src/pipeline/stream_intake.ts",
    pattern: /\bcode === "([^"]+)"/g,
    rewrite: (code) => code.replaceAll("_", "-"),
  }],
  ["src/reconcile/repair_journal.ts: PgsluiceError(code)", {
    path: "src/reconcile/repair_journal.ts",
    pattern: /\bconst code = [^?;]+\? "([^"]+)" : "([^"]+)";/g,
  }],
  ["src/pipeline/file_cursor.ts: FileFault(result.code)", OF_HEADER],
  ["src/pipeline/read_header.ts: FileFault(result.code)", OF_HEADER],
  ["src/pipeline/validate_file.ts: FileFault(result.code)", OF_HEADER],
]);

Deno.test("the README shows the columns as the schema has them", () => {
  assert(README.includes(schemaHelp(USER_EVENTS).trim()), "copy the table of `ingest --help`");
});

Deno.test("the README lists the reports as pgsluice does", async () => {
  const { output } = await runCommand(queryCommand, "--list");
  assert(README.includes(output), output);
});

Deno.test("the README names every command", () => {
  for (const { name } of COMMANDS) {
    const group = name.split(" ")[0]!;
    assert(README.includes(`\`pgsluice ${group}`), name);
  }
});

Deno.test("the README has one heading for every error code, and none for another", () => {
  assertEquals(headings().toSorted(), [...codesOf("PgsluiceError")].toSorted());
});

Deno.test("the README says under every error code what happened and what to do", () => {
  const texts = section("Error codes").split(/^#### .+$/m).slice(1);
  for (const [index, text] of texts.entries()) {
    const sentences = text.trim().split(/\.\)?(?:\s+|$)/).filter((sentence) => sentence !== "");
    assert(sentences.length > 1, headings()[index]);
  }
});

Deno.test("the README lists the error codes by topic, in the order of their headings", () => {
  const [list] = section("Error codes").split(/^####/m);
  const links = [...list!.matchAll(/\[`([^`]+)`\]\(#([^)]+)\)/g)];
  for (const [, text, anchor] of links) assertEquals(anchor, text);
  assertEquals(links.map(([, text]) => text), headings());
});

Deno.test("the README's table of reject codes has every code of a reject, and no other", () => {
  assertEquals(firstCells(section("Reject codes")).toSorted(), [...rejectCodes()].toSorted());
});

Deno.test("the README's table of failed files has every code of a file, and no other", () => {
  const [, failed] = section("Why a file is failed or held").split(/^(?=\| code )/m);
  const [table] = failed!.split("\n\n");
  assertEquals(firstCells(table!).toSorted(), [...codesOf("FileFault")].toSorted());
});

function readSources(directory: string): Map<string, string> {
  const sources = new Map<string, string>();
  for (const entry of Deno.readDirSync(join(ROOT, directory))) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) {
      for (const [name, code] of readSources(path)) sources.set(name, code);
    } else if (path.endsWith(".ts")) {
      const code = Deno.readTextFileSync(join(ROOT, path))
        .replace(/\/\*[^]*?\*\//g, "")
        .replace(/(?:^|\s)\/\/ .*$/gm, "");
      sources.set(path, code);
    }
  }
  return sources;
}

/** The codes that errors of the class are made with. */
function codesOf(className: "PgsluiceError" | "FileFault"): Set<string> {
  const codes = new Set<string>();
  const computed = new Set<string>();
  const made = new RegExp(String.raw`\bnew ${className}\(\s*((?:\([^()]*\)|[^,()])+)`, "g");
  for (const [path, source] of SOURCES) {
    assert(!source.includes(`extends ${className}`), `${path}: its codes are not collected here`);
    for (const [, argument] of source.matchAll(made)) {
      const literal = /^"([^"]+)"$/.exec(argument!.trim());
      if (literal !== null) codes.add(literal[1]!);
      else computed.add(`${path}: ${className}(${argument!.trim()})`);
    }
  }
  const known = [...COMPUTED.keys()].filter((name) => name.includes(`: ${className}(`));
  assertEquals([...computed].toSorted(), known.toSorted(), "say in COMPUTED where its codes are");
  for (const name of computed) {
    const { path, pattern, rewrite = (code) => code } = COMPUTED.get(name)!;
    const found = [...SOURCES.get(path)!.matchAll(pattern)].flatMap((match) => match.slice(1));
    assert(found.length > 0, `${name}: ${path} has no ${pattern}`);
    for (const code of found) codes.add(rewrite(code));
  }
  return codes;
}

/** The codes that records are rejected with: of every property and variable of that name. */
function rejectCodes(): Set<string> {
  const codes = new Set<string>();
  for (const [path, source] of SOURCES) {
    if (!REJECTING.test(path)) continue;
    for (const [, expression] of source.matchAll(NAMED_CODE)) {
      const text = expression!.trim();
      const literals = [...text.matchAll(/"([^"]+)"/g)].map(([, code]) => code!);
      const isHandedOn = /^(?:\w+\.)?code$/.test(text);
      const found = literals.length > 0 || isHandedOn ? literals : REJECT_EXPRESSIONS.get(text);
      assert(found !== undefined, `${path}: say which codes \`${text}\` may be`);
      for (const code of found) codes.add(code);
    }
  }
  return codes;
}

function section(title: string): string {
  const start = README.indexOf(`\n### ${title}\n`);
  assert(start !== -1, `README.md has no section ${title}`);
  const [text] = README.slice(start + 1).split(/^(?=#{2,3} )/m);
  return text!;
}

/** The error codes that have a heading, in its order. */
function headings(): string[] {
  return [...section("Error codes").matchAll(/^#### (.+)$/gm)].map(([, text]) =>
    text!.replaceAll("`", "")
  );
}

/** Of the rows of a table below its head, without backticks. */
function firstCells(text: string): string[] {
  const rows = [...text.matchAll(/^\| (.+?) +\|/gm)].map(([, cell]) => cell!.replaceAll("`", ""));
  return rows.filter((cell) => cell !== "code" && !/^-+$/.test(cell));
}
