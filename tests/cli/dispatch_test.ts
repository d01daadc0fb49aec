import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Command, CommandContext } from "../../src/cli/command.ts";
import { quietFlag, tableFlag } from "../../src/cli/common_flags.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { ProcessTerminal } from "../../src/cli/terminal.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import config from "../../deno.json" with { type: "json" };

function command(name: string, run: Command["run"]): Command {
  return { name, summary: `does ${name}`, flags: [tableFlag, quietFlag], maxPositionals: 1, run };
}

/** Dispatches to commands that remember how they were called. */
async function dispatched(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
) {
  const written = { stdout: "", stderr: "" };
  const decoder = new TextDecoder();
  const terminal = new ProcessTerminal({
    stdout: {
      write(bytes) {
        written.stdout += decoder.decode(bytes);
        return Promise.resolve(bytes.length);
      },
    },
    stderr: {
      writeSync(bytes) {
        written.stderr += decoder.decode(bytes);
        return bytes.length;
      },
    },
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: () => 80,
  });
  const ran: string[] = [];
  const remembering = (name: string) =>
    command(name, ({ flags, positionals, subject, terminal }: CommandContext) => {
      const about = subject === undefined ? [] : [`(${subject.name})`];
      ran.push([name, flags.text("table") ?? "-", ...positionals, ...about].join(" "));
      terminal.say("talk");
      return Promise.resolve(3);
    });
  const plain: Command = { ...remembering("plain"), flags: [], run: () => Promise.resolve(4) };
  const show: Command = { ...remembering("config show"), flags: [quietFlag], subject: "ingest" };
  const exitCode = await dispatch(args, {
    commands: [...["ingest", "status", "db start", "db stop"].map(remembering), plain, show],
    terminal,
    environment: (name) => environment[name],
    watchSignals: () => new AbortController().signal,
  });
  return { exitCode, ran, ...written };
}

Deno.test("a command gets its flags and positionals, and its value is the exit code", async () => {
  assertEquals(await dispatched(["ingest", "data", "--table", "t"]), {
    exitCode: 3,
    ran: ["ingest t data"],
    stdout: "",
    stderr: "talk\n",
  });
  assertEquals((await dispatched(["db", "stop"], { PGSLUICE_TABLE: "e" })).ran, ["db stop e"]);
});

Deno.test("--quiet, also from the environment, silences the command's talk", async () => {
  assertEquals((await dispatched(["ingest", "--quiet"])).stderr, "");
  assertEquals((await dispatched(["ingest"], { PGSLUICE_QUIET: "1" })).stderr, "");
});

Deno.test("--version writes the version to stdout", async () => {
  assertStringIncludes(
    (await dispatched(["--version"])).stdout,
    `pgsluice ${config.version}\ncommit `,
  );
});

Deno.test("help goes to stdout, runs nothing and succeeds, however it is asked for", async () => {
  const cases: readonly (readonly [args: string, firstLine: string])[] = [
    ["help", "pgsluice loads events from CSV files into PostgreSQL, each exactly once."],
    ["--help", "pgsluice loads events from CSV files into PostgreSQL, each exactly once."],
    ["-h", "pgsluice loads events from CSV files into PostgreSQL, each exactly once."],
    ["help ingest", "does ingest"],
    ["ingest --help", "does ingest"],
    ["ingest data --tabel x -h", "does ingest"],
    ["help db stop", "does db stop"],
    ["db stop --help", "does db stop"],
    ["help db", "usage: pgsluice db COMMAND [FLAGS]"],
    ["db --help", "usage: pgsluice db COMMAND [FLAGS]"],
  ];
  for (const [args, firstLine] of cases) {
    const { exitCode, ran, stdout, stderr } = await dispatched(args.split(" "));
    assertEquals(
      { args, exitCode, ran, stderr, firstLine: stdout.split("\n")[0] },
      { args, exitCode: 0, ran: [], stderr: "", firstLine },
    );
  }
});

Deno.test("--help after -- is a positional", async () => {
  assertEquals((await dispatched(["ingest", "--", "--help"])).ran, ["ingest - --help"]);
});

Deno.test("no command, or a group without one, is usage: the list on stderr, exit code 2", async () => {
  for (const [args, command] of [[[], "ingest"], [["db"], "db start"]] as const) {
    const { exitCode, stdout, stderr } = await dispatched(args);
    assertEquals({ exitCode, stdout }, { exitCode: 2, stdout: "" });
    assertEquals(stderr.includes(`\n  ${command} `), true);
  }
});

Deno.test("what is no command is refused, with the command that was probably meant", async () => {
  const list = "`pgsluice help` lists the commands";
  const cases: readonly (readonly [args: string, message: string, hint: string])[] = [
    ["ingst", 'unknown command "ingst"', "pgsluice ingest"],
    ["hlep", 'unknown command "hlep"', list],
    ["helpp", 'unknown command "helpp"', "pgsluice help"],
    ["frobnicate --help", 'unknown command "frobnicate"', list],
    ["help frobnicate", 'unknown command "frobnicate"', list],
    ["db strat", 'unknown command "db strat"', "pgsluice db start"],
    [
      "--verison",
      '"--verison" is no command, and the command comes before its flags',
      "pgsluice --version",
    ],
    ["--table t ingest", '"--table" is no command, and the command comes before its flags', list],
    ["ingest -- a b", 'ingest does not take the argument "b"', "pgsluice ingest [FLAGS]"],
  ];
  for (const [args, message, hint] of cases) {
    const error = await assertRejects(() => dispatched(args.split(" ")), PgsluiceError);
    assertEquals(
      [error.message, error.hint, error.exitCode],
      [message, hint, 2],
    );
  }
});

Deno.test("--config, or PGSLUICE_CONFIG, names a file that says what nobody else does", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, '{"table": "filed", "quiet": true}');
    const variable = { PGSLUICE_CONFIG: path };
    const byFlag = await dispatched(["db", "stop", "--config", path]);
    assertEquals([byFlag.ran, byFlag.stderr], [["db stop filed"], ""]);
    assertEquals((await dispatched(["ingest", "x"], variable)).ran, ["ingest filed x"]);
    assertEquals(
      (await dispatched(["ingest"], { ...variable, PGSLUICE_TABLE: "e" })).ran,
      ["ingest e"],
    );
    assertEquals((await dispatched(["ingest", "--table", "t"], variable)).ran, ["ingest t"]);
    assertEquals((await dispatched(["ingest", "--quiet=false"], variable)).stderr, "talk\n");

    await Deno.writeTextFile(path, '{"tabel": "filed"}');
    const error = await assertRejects(() => dispatched(["ingest"], variable), PgsluiceError);
    assertEquals(
      [error.code, error.message, error.hint],
      ["config-file", `${path}, line 1: unknown key "tabel"`, 'did you mean "table"?'],
    );
    const wrongLine = () => dispatched(["ingest", "--tabel=x"], variable);
    assertEquals((await assertRejects(wrongLine, PgsluiceError)).code, "usage");
    assertEquals((await dispatched(["plain"], variable)).exitCode, 4);
    assertEquals((await dispatched(["ingest", "--help"], variable)).exitCode, 0);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a command about another one takes that one's flags and arguments, and its own", async () => {
  const cases: readonly (readonly [args: string, ran: string])[] = [
    ["config show", "config show - (ingest)"],
    ["config show --table t", "config show t (ingest)"],
    ["config show status x --quiet --table t", "config show t x (status)"],
    ["config show db stop --table=t", "config show t (db stop)"],
  ];
  for (const [args, ran] of cases) {
    assertEquals((await dispatched(args.split(" "))).ran, [ran]);
  }
  const refused: readonly (readonly [args: string, message: string])[] = [
    ["config show statsu", 'unknown command "statsu"'],
    ["config show db", 'unknown command "db"'],
    ["config show plain --table t", "unknown flag --table for config show"],
  ];
  for (const [args, message] of refused) {
    await assertRejects(() => dispatched(args.split(" ")), PgsluiceError, message);
  }
});
