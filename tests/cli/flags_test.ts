import { assertEquals, assertThrows } from "@std/assert";
import type { Command, Flag } from "../../src/cli/command.ts";
import { environmentName, parseArguments, withConfigFile } from "../../src/cli/flags.ts";
import { EXIT, PgsluiceError } from "../../src/pgsluice_error.ts";

const FLAGS: readonly Flag[] = [
  { name: "events", kind: "whole", placeholder: "N", summary: "" },
  { name: "batch-rows", kind: "whole", placeholder: "N", summary: "" },
  { name: "out", kind: "text", placeholder: "DIR|-", summary: "" },
  { name: "no-wait", kind: "switch", summary: "" },
  { name: "json", kind: "switch", summary: "" },
  { name: "on-replaced", kind: "text", choices: ["hold", "reload", "add"], summary: "" },
];

const COMMAND: Command = {
  name: "ingest",
  summary: "",
  flags: FLAGS,
  positionalsText: "[DIR|-]",
  maxPositionals: 1,
  run: () => Promise.resolve(0),
};

function parse(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { flags, positionals } = parseArguments(COMMAND, args, (name) => environment[name]);
  return {
    events: flags.number("events"),
    batchRows: flags.number("batch-rows"),
    out: flags.text("out"),
    noWait: flags.switch("no-wait"),
    json: flags.switch("json"),
    positionals,
  };
}

const NOTHING: ReturnType<typeof parse> = {
  events: undefined,
  batchRows: undefined,
  out: undefined,
  noWait: false,
  json: false,
  positionals: [],
};

interface AcceptedCase {
  readonly name: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly want: Partial<ReturnType<typeof parse>>;
}

const ACCEPTED: readonly AcceptedCase[] = [
  { name: "nothing", args: [], want: {} },
  { name: "a value after a blank", args: ["--events", "50k"], want: { events: 50_000 } },
  { name: "a value after =", args: ["--events=50k"], want: { events: 50_000 } },
  { name: "a value that holds =", args: ["--out=a=b"], want: { out: "a=b" } },
  { name: "a value that begins with -- after =", args: ["--out=--x"], want: { out: "--x" } },
  { name: "a lone dash as a value", args: ["--out", "-"], want: { out: "-" } },
  { name: "a lone dash as a positional", args: ["-"], want: { positionals: ["-"] } },
  { name: "a switch", args: ["--json"], want: { json: true } },
  { name: "a switch whose name begins with no-", args: ["--no-wait"], want: { noWait: true } },
  { name: "a switch switched off", args: ["--no-wait=false"], want: { noWait: false } },
  {
    name: "a switch before a positional that reads like a value of it",
    args: ["--json", "true"],
    want: { json: true, positionals: ["true"] },
  },
  {
    name: "flags after a positional",
    args: ["data", "--events", "1"],
    want: { events: 1, positionals: ["data"] },
  },
  {
    name: "a positional after -- that looks like a flag",
    args: ["--json", "--", "--events"],
    want: { json: true, positionals: ["--events"] },
  },
  {
    name: "a value from the environment",
    args: [],
    environment: { PGSLUICE_BATCH_ROWS: "2k", PGSLUICE_JSON: "1" },
    want: { batchRows: 2_000, json: true },
  },
  {
    name: "a flag over the environment",
    args: ["--events", "1", "--json=false"],
    environment: { PGSLUICE_EVENTS: "2", PGSLUICE_JSON: "true" },
    want: { events: 1, json: false },
  },
  {
    name: "a flag over a malformed variable",
    args: ["--events", "1"],
    environment: { PGSLUICE_EVENTS: "many" },
    want: { events: 1 },
  },
  {
    name: "an empty variable as none",
    args: [],
    environment: { PGSLUICE_EVENTS: "", PGSLUICE_OUT: "" },
    want: {},
  },
];

for (const { name, args, environment, want } of ACCEPTED) {
  Deno.test(`arguments may be ${name}`, () => {
    assertEquals(parse(args, environment), { ...NOTHING, ...want });
  });
}

interface RefusedCase {
  readonly name: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly message: string;
  readonly hint: string;
}

const REFUSED: readonly RefusedCase[] = [
  {
    name: "a misspelt flag",
    args: ["--evnets", "5"],
    message: "unknown flag --evnets for ingest",
    hint: "did you mean --events?",
  },
  {
    name: "a misspelt flag with its value",
    args: ["--batchrows=5"],
    message: "unknown flag --batchrows for ingest",
    hint: "did you mean --batch-rows?",
  },
  {
    name: "a flag that is like no other",
    args: ["--verbose"],
    message: "unknown flag --verbose for ingest",
    hint: "`pgsluice help ingest` lists its flags",
  },
  {
    name: "a short flag",
    args: ["-v"],
    message: "unknown flag -v for ingest",
    hint: "`pgsluice help ingest` lists its flags",
  },
  {
    name: "a name that every object has",
    args: ["--__proto__=1"],
    message: "unknown flag --__proto__ for ingest",
    hint: "`pgsluice help ingest` lists its flags",
  },
  {
    name: "a flag at the end without its value",
    args: ["--events"],
    message: "--events needs a value: a whole number such as 500, 20_000, 50k or 1M",
    hint: "--events N, see `pgsluice help ingest`",
  },
  {
    name: "a flag before another one without its value",
    args: ["--out", "--json"],
    message: "--out needs a value: a text that is not empty",
    hint: "--out DIR|-, see `pgsluice help ingest`",
  },
  {
    name: "an empty text",
    args: ["--out="],
    message: '--out: expected a text that is not empty, got ""',
    hint: "pgsluice help ingest",
  },
  {
    name: "a negative number",
    args: ["--events", "-5"],
    message: '--events: expected a whole number such as 500, 20_000, 50k or 1M, got "-5"',
    hint: "pgsluice help ingest",
  },
  {
    name: "a value that is no choice",
    args: ["--on-replaced", "drop"],
    message: '--on-replaced: expected one of hold, reload, add, got "drop"',
    hint: "pgsluice help ingest",
  },
  {
    name: "a malformed variable, which is named",
    args: [],
    environment: { PGSLUICE_NO_WAIT: "yes" },
    message: 'PGSLUICE_NO_WAIT: expected true or false (or 1 or 0), got "yes"',
    hint: "pgsluice help ingest",
  },
  {
    name: "a flag given twice",
    args: ["--events=1", "--events", "1"],
    message: "--events is given twice",
    hint: "give --events once",
  },
  {
    name: "a positional too many",
    args: ["one", "two\n"],
    message: 'ingest does not take the argument "two\\n"',
    hint: "pgsluice ingest [FLAGS] [DIR|-]",
  },
];

for (const { name, args, environment, message, hint } of REFUSED) {
  Deno.test(`arguments may not be ${name}`, () => {
    const error = assertThrows(() => parse(args, environment), PgsluiceError, message);
    assertEquals(
      { message: error.message, hint: error.hint, code: error.code, exitCode: error.exitCode },
      { message, hint, code: "usage", exitCode: EXIT.usage },
    );
  });
}

Deno.test("asking for an undeclared flag or one of another kind is a fault of the program", () => {
  const { flags } = parseArguments(COMMAND, ["--events=1"], () => undefined);
  assertThrows(() => flags.text("nothing"), TypeError, "ingest declares no flag --nothing");
  assertThrows(() => flags.text("events"), TypeError, "--events of ingest is a whole");
  assertThrows(() => flags.number("json"), TypeError, "--json of ingest is a switch");
});

Deno.test("a flag's environment variable has underscores for its dashes", () => {
  assertEquals(environmentName(FLAGS[1]!), "PGSLUICE_BATCH_ROWS");
});

const PLACED: Command = { ...COMMAND, positionalFlag: "out" };

Deno.test("a positional may be another way to write a flag, and then wins like one", () => {
  const environment = (name: string) => name === "PGSLUICE_OUT" ? "elsewhere" : undefined;
  const { flags, positionals } = parseArguments(PLACED, ["--json", "here"], environment);
  assertEquals([flags.text("out"), positionals], ["here", []]);
  assertEquals(parseArguments(PLACED, [], environment).flags.text("out"), "elsewhere");
  assertThrows(
    () => parseArguments(PLACED, ["here", "--out", "there"], environment),
    PgsluiceError,
    'the argument "here" and --out say the same thing',
  );
  assertThrows(
    () => parseArguments(PLACED, [""], environment),
    PgsluiceError,
    'the argument: expected a text that is not empty, got ""',
  );
});

Deno.test("a flag wins over its variable, that over the file, and each is remembered", () => {
  const values = new Map([
    ["events", { text: "3", line: 7 }],
    ["batch-rows", { text: "3k", line: 8 }],
    ["no-wait", { text: "true", line: 9 }],
    ["rate", { text: "5", line: 10 }], // of another command
  ]);
  const parsed = parseArguments(
    COMMAND,
    ["--events=1", "--config", "p.json"],
    (name) => ({ PGSLUICE_EVENTS: "2", PGSLUICE_BATCH_ROWS: "2k" })[name],
  );
  const flags = withConfigFile(COMMAND, parsed.flags, { path: "p.json", values });
  assertEquals(
    [flags.number("events"), flags.number("batch-rows"), flags.switch("no-wait")],
    [1, 2_000, true],
  );
  assertEquals(flags.givenBy("events"), { source: "flag", place: "--events", text: "1" });
  assertEquals(
    flags.givenBy("batch-rows"),
    { source: "environment", place: "PGSLUICE_BATCH_ROWS", text: "2k" },
  );
  assertEquals(flags.givenBy("no-wait"), { source: "file", place: "p.json:9", text: "true" });
  assertEquals([flags.givenBy("json"), flags.switch("json")], [undefined, false]);
  assertEquals(flags.text("config"), "p.json");
  assertThrows(() => flags.givenBy("rate"), TypeError, "ingest declares no flag --rate");
});
