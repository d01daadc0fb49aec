import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import type { Terminal } from "../../src/cli/command.ts";
import { parseArguments } from "../../src/cli/flags.ts";
import { generateCommand } from "../../src/cli/generate.ts";
import { parseManifest } from "../../src/generate/manifest.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { namesIn, withFolder } from "./with_folder.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in this process; `onLive` hears of the progress. */
async function run(
  args: readonly string[],
  { signal = new AbortController().signal, onLive }: {
    signal?: AbortSignal;
    onLive?: (text: string | null) => void;
  } = {},
): Promise<Run> {
  let stdout = "";
  let stderr = "";
  const terminal: Terminal = {
    write(data) {
      stdout += typeof data === "string" ? data : new TextDecoder().decode(data);
      return Promise.resolve();
    },
    say: (text) => stderr += text + "\n",
    log: ({ message }) => stderr += message + "\n",
    live: (text) => onLive?.(text),
    stdoutIsTerminal: false,
    stderrIsTerminal: true,
    columns: 80,
  };
  const parsed = parseArguments(generateCommand, args, () => undefined);
  const exitCode = await generateCommand.run({ ...parsed, terminal, signal });
  return { exitCode, stdout, stderr };
}

function generateProcess(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", MAIN, "generate", ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("generate - writes one CSV to stdout, and its talk to stderr", async () => {
  for (const out of [["-"], ["--out", "-"]]) {
    const { exitCode, stdout, stderr } = await run(["--events", "20", "--seed", "5", ...out]);
    assertEquals(exitCode, 0);
    assertEquals(stdout.split("\n").length, 22);
    assertMatch(
      stderr,
      /^generated 20 events \([\d.]+ KiB\); made again by --seed 5 --start \S+\n$/,
    );
  }
});

Deno.test("generate says a seed and start that make the same bytes again", async () => {
  const first = await run(["--events", "50", "-"]);
  const again = /--seed \d+ --start \S+/.exec(first.stderr)![0].split(" ");
  assertEquals((await run(["--events", "50", "-", ...again])).stdout, first.stdout);
  assert((await run(["--events", "50", "-"])).stdout !== first.stdout, "the seed is random");
});

Deno.test("generate's events end shortly before now unless a start is given", async () => {
  const { stdout } = await run(["--events", "200", "-"]);
  const lastMs = Date.parse(stdout.trimEnd().split("\n").at(-1)!.split(",")[1]!);
  const agoMs = Date.now() - lastMs;
  assert(agoMs > 0 && agoMs < 12 * 3_600_000, `${agoMs} ms ago`);
});

Deno.test("generate writes files and a manifest that agree", async () => {
  await withFolder(async (folder) => {
    const out = join(folder, "events");
    const path = join(folder, "truth.json");
    await Deno.writeTextFile(path, "of a former run");
    const { stdout, stderr } = await run([
      ...["--events", "1k", "--rows-per-file", "300", "--dirty", "5%", "--duplicates", "3"],
      ...["--manifest", path, out],
    ]);
    assertEquals(stdout, "");
    const manifest = parseManifest(await Deno.readTextFile(path));
    assertEquals(manifest.events, 1000);
    assertEquals(manifest.files, 4);
    assertEquals(namesIn(out).length, 4);
    assertEquals(namesIn(folder), ["events", "truth.json"]);
    assertStringIncludes(stderr, `in 4 files in ${out}, ${manifest.rejected} of them defective`);
  });
});

Deno.test("generate shows progress, and a signal ends it with a true manifest", async () => {
  await withFolder(async (folder) => {
    const stop = new AbortController();
    const lives: (string | null)[] = [];
    const path = join(folder, "truth.json");
    const { exitCode } = await run(
      ["--events", "100M", "--out", join(folder, "events"), "--manifest", path],
      {
        signal: stop.signal,
        onLive(text) {
          lives.push(text);
          if (lives.length === 10) stop.abort();
        },
      },
    );
    assertEquals(exitCode, 0);
    assertMatch(lives[9]!, /^generating: [\d,]+ events.* events\/s$/);
    assertEquals(lives.at(-1), null);
    const manifest = parseManifest(await Deno.readTextFile(path));
    assertEquals(manifest.files, namesIn(join(folder, "events")).length);
  });
});

Deno.test("generate refuses what it cannot do, before it writes anything", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const cases: [args: string[], code: string, exitCode: number, message: string][] = [
      [["--rate", "0", "-"], "usage", 2, "--rate: expected 1 or more, got 0"],
      [["--rows-per-file", "0", "-"], "usage", 2, "--rows-per-file: expected 1 or more"],
      [["--dirty", "60", "--duplicates", "50%", "-"], "usage", 2, "more than all records"],
      [["--start", "1969-12-31", "-"], "usage", 2, "out of range"],
      [["--out", folder, "-"], "usage", 2, "say the same thing"],
      [["--out", file], "folder-not-writable", 1, `${file}: it is a file`],
      [["--manifest", folder, "-"], "manifest-not-writable", 1, "it is a folder"],
      [
        ["--manifest", join(folder, "none", "m.json"), "-"],
        "manifest-not-writable",
        1,
        "No such file or directory",
      ],
      [["--out", file, "--manifest", join(folder, "m.json")], "folder-not-writable", 1, file],
    ];
    for (const [args, code, exitCode, message] of cases) {
      const error = await assertRejects(() => run(args), PgsluiceError, message);
      assertEquals([error.code, error.exitCode], [code, exitCode], args.join(" "));
    }
    assertEquals(namesIn(folder), ["file"]);
  });
});

Deno.test("generate - ends quietly when its reader goes away", async () => {
  const process = generateProcess(["--events", "1000M", "-"]);
  const reader = process.stdout.getReader();
  assert(!(await reader.read()).done);
  await reader.cancel();
  const stderr = await new Response(process.stderr).text();
  assertEquals({ code: (await process.status).code, stderr }, { code: 0, stderr: "" });
});

Deno.test("generate, sent SIGTERM, exits 0 and leaves whole files", async () => {
  await withFolder(async (folder) => {
    const process = generateProcess(["--events", "1000M", "--out", folder]);
    const watcher = Deno.watchFs(folder);
    for await (const { paths } of watcher) if (paths.some((path) => path.endsWith(".csv"))) break;
    process.kill("SIGTERM");
    const { code } = await process.output();
    assertEquals(code, 0);
    const names = namesIn(folder);
    assert(names.length > 0);
    for (const name of names) {
      assertMatch(name, /^events-.*\.csv$/);
      const text = await Deno.readTextFile(join(folder, name));
      assert(text.startsWith("event_id,") && text.endsWith("\n"), name);
    }
  });
});
