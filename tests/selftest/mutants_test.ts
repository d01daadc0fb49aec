import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { testServer } from "../support/test_server.ts";
import { type Edit, type Mutant, MUTANTS } from "./mutants.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
/** Every other fault that a run of the first operation of each kind has. */
const FAULTS = 12;
/** Two in each phase. */
const KILLS = 12;
const SEED = 20_26;

/** The program, to be changed. */
async function copyProgram(home: string): Promise<void> {
  for (const name of ["main.ts", "deno.json", ".deno", "src", "sql"]) {
    await copy(join(ROOT, name), join(home, name));
  }
}

async function copy(from: string, to: string): Promise<void> {
  const { isDirectory } = await Deno.stat(from);
  if (!isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}

/** Changes the program until it is disposed of. */
async function apply(home: string, edits: readonly Edit[]): Promise<AsyncDisposable> {
  const originals = new Map<string, string>();
  for (const { path, from, to } of edits) {
    const file = join(home, path);
    const text = await Deno.readTextFile(file);
    if (!originals.has(file)) originals.set(file, text);
    assertEquals(text.split(from).length - 1, 1, `${path} has this once: ${from}`);
    await Deno.writeTextFile(file, text.replace(from, () => to));
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const [file, text] of originals) await Deno.writeTextFile(file, text);
    },
  };
}

async function selftest(home: string, campaign: Mutant["campaign"]) {
  const server = await testServer();
  assert(server.kind === "server");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "--allow-all", join(home, "main.ts"), "selftest"],
      ...["--json", "--only", campaign, "--faults", String(FAULTS), "--kills", String(KILLS)],
      ...["--seed", String(SEED)],
      ...["--database", server.url],
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stdout);
  assert(said.startsWith("{"), `no report: ${new TextDecoder().decode(stderr)}`);
  return { code, report: JSON.parse(said) };
}

Deno.test("the self-test notices each mutant of the program, and nothing in the program", async (test) => {
  const home = await Deno.makeTempDir();
  try {
    await copyProgram(home);
    for (const campaign of new Set(MUTANTS.map((mutant) => mutant.campaign))) {
      await test.step(`${campaign}: the program as it is`, async () => {
        const { code, report } = await selftest(home, campaign);
        assertEquals(report.violations, []);
        assertEquals(code, 0);
      });
    }
    for (const { name, campaign, notice, edits } of MUTANTS) {
      await test.step(`${campaign}: ${name}`, async () => {
        await using _ = await apply(home, edits);
        const { code, report } = await selftest(home, campaign);
        assertGreater(report.violationCount, 0, report.summary);
        assertMatch(report.summary, /, \d+ violations: lost \d+, doubled \d+$/);
        assertMatch(report.violations.join("\n"), notice);
        assertEquals(code, 1);
      });
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
