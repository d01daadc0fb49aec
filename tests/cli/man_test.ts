import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { Command } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { parseConfig } from "../../src/cli/config_file.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { EXAMPLES, FILE_EXAMPLE, manPage } from "../../src/cli/man_page.ts";
import { roffParagraphs, roffText } from "../../src/cli/man_roff.ts";
import { ProcessTerminal } from "../../src/cli/terminal.ts";

function isInstalled(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function withPage(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "pgsluice.1");
    await Deno.writeTextFile(path, await manPage(COMMANDS, "1.2.3"));
    await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function outputOf(program: string, args: readonly string[]) {
  const { stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: { MANWIDTH: "100", LC_ALL: "C.UTF-8", MANPAGER: "cat" },
  }).output();
  return { stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("the page has every section, command, flag and variable", async () => {
  const page = await manPage(COMMANDS, "1.2.3");
  const sections = [...page.matchAll(/^\.SH (.+)$/gm)].map(([, title]) => title);
  assertEquals(sections, [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "COMMANDS",
    "ENVIRONMENT",
    "EXIT STATUS",
    "FILES",
    "EXAMPLES",
  ]);
  for (const { name, flags } of COMMANDS) {
    const [, text] = page.split(`\n.SS "${name}"\n`);
    const [section] = text!.split(/^\.S[SH] /m);
    for (const flag of flags) {
      assert(section!.includes(`\n.TP\n\\fB${roffText(`--${flag.name}`)}\\fR`), flag.name);
      const variable = `PGSLUICE_${flag.name.replaceAll("-", "_").toUpperCase()}`;
      assert(page.includes(`\n.TP\n\\fB${variable}\\fR\n`), variable);
    }
  }
});

Deno.test("nothing in a text is read as a request or an escape", async () => {
  assertEquals(roffText(".TH is no request"), "\\&.TH is no request");
  assertEquals(roffText("'so it is"), "\\(aqso it is");
  assertEquals(
    roffText('C:\\new --x `a` ~ ^ "q"'),
    "C:\\(rsnew \\-\\-x \\(gaa\\(ga \\(ti \\(ha \\(dqq\\(dq",
  );
  assertEquals(roffText("FILE… 🎉"), "FILE\\[u2026] \\[u1F389]");
  assertEquals(
    roffParagraphs("one\ntwo\n\nas in:\n  .x \\n\n\nend"),
    "one\ntwo\n.PP\nas in:\n.EX\n  .x \\(rsn\n.EE\n.PP\nend\n",
  );
  const awkward: Command = {
    name: "awkward",
    summary: "is \\fBnot bold",
    flags: [{ name: "x", kind: "switch", summary: ".so /etc/passwd" }],
    details: ".sp 99\n'in 5",
    run: () => Promise.resolve(0),
  };
  for (const line of (await manPage([...COMMANDS, awkward], "1")).split("\n")) {
    assert(
      /^(?:\.(?:TH|SH|SS|TP|PP|EX|EE|B|I|RI|\\")(?: |$)|[^.'])/.test(line) || line === "",
      line,
    );
    assert(!/\\(?!["&(f[-])/.test(line), line);
    assert(/^[\x20-\x7e]*$/.test(line), line);
  }
});

Deno.test({
  name: "man shows the page without a warning, as it is to be typed" +
    (isInstalled("man") ? "" : " (skipped: no man here)"),
  ignore: !isInstalled("man"),
  async fn() {
    await withPage(async (path) => {
      const { stdout, stderr } = await outputOf("man", ["--warnings", "-E", "UTF-8", "-l", path]);
      assertEquals(stderr, "");
      assert(stdout.includes("--on-replaced hold|reload|add"), stdout);
      assert(stdout.includes("\n       pgsluice files undo [FLAGS] FILE…\n"), stdout);
      for (const { line } of EXAMPLES) assert(stdout.includes(line), line);
    });
  },
});

Deno.test({
  name: "mandoc finds no fault with the page but that it has no date" +
    (isInstalled("mandoc") ? "" : " (skipped: no mandoc here)"),
  ignore: !isInstalled("mandoc"),
  async fn() {
    await withPage(async (path) => {
      const { stdout } = await outputOf("mandoc", ["-T", "lint", "-W", "warning", path]);
      const faults = stdout.split("\n").filter((line) => line !== "");
      assertEquals(faults.filter((line) => !line.includes("missing date")), []);
    });
  },
});

Deno.test("the page's examples are lines that pgsluice understands", async () => {
  const ran: string[] = [];
  const commands = COMMANDS.map((command): Command => ({
    ...command,
    run: () => {
      ran.push(command.name);
      return Promise.resolve(0);
    },
  }));
  const terminal = new ProcessTerminal({
    stdout: { write: (bytes) => Promise.resolve(bytes.length) },
    stderr: { writeSync: (bytes) => bytes.length },
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: () => 80,
  });
  const run = (line: string) =>
    dispatch(line.split(" ").slice(1), {
      commands,
      terminal,
      environment: () => undefined,
      watchSignals: () => new AbortController().signal,
    });
  // the file of this one is not there, which is the last thing that is found out
  const withFile = EXAMPLES.filter(({ line }) => line.includes("--config"));
  for (const { line } of EXAMPLES.filter((each) => !withFile.includes(each))) {
    assertEquals(await run(line), 0, line);
  }
  for (const { line } of withFile) await assertRejects(() => run(line), Error, "there is no such");
  assertEquals(ran, ["demo", "ingest", "ingest", "status", "verify"]);
  const { values } = parseConfig(FILE_EXAMPLE, { path: "", commands: COMMANDS });
  assertEquals([...values.keys()], ["source", "batch-rows", "settle", "quiet"]);
});
