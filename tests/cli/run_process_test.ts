import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const PROBE = fromFileUrl(new URL("./probe_process.ts", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function probe(args: readonly string[], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", PROBE, ...args],
    env: { NO_COLOR: "1", PGSLUICE_DEBUG: "", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function end(process: Deno.ChildProcess): Promise<Ended> {
  const { code, stdout, stderr } = await process.output();
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
}

/** Reads stdout until it says so; gives what came after when the process ends. */
async function endAfter(
  process: Deno.ChildProcess,
  steps: readonly { readonly line: string; readonly kill: readonly Deno.Signal[] }[],
): Promise<Ended> {
  const stderr = new Response(process.stderr).text();
  let stdout = "";
  const remaining = [...steps];
  for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += text;
    while (remaining[0] !== undefined && stdout.includes(remaining[0].line)) {
      for (const signal of remaining.shift()!.kill) process.kill(signal);
    }
  }
  return { code: (await process.status).code, stdout, stderr: await stderr };
}

Deno.test("a command's return value is the exit code, its talk goes to stderr", async () => {
  assertEquals(await end(probe(["returning"])), { code: 3, stdout: "", stderr: "talk\n" });
});

Deno.test("--quiet silences a command's talk", async () => {
  assertEquals(await end(probe(["returning", "--quiet"])), { code: 3, stdout: "", stderr: "" });
});

Deno.test("a fault is printed as error and try, without a stack, with its exit code", async () => {
  assertEquals(await end(probe(["fault", "--quiet"])), {
    code: 75,
    stdout: "",
    stderr: "error: pipeline a\\nb is owned [pipeline-owned]\ntry: wait for it\n",
  });
});

Deno.test("a fault of the program is one line and a hint, and shows its stack on request", async () => {
  const brief = "error: internal: TypeError: no such thing\n" +
    "try: run it again with PGSLUICE_DEBUG=1 for the stack, and report that\n";
  const [without, with_] = await Promise.all([
    end(probe(["bug"])),
    end(probe(["bug"], { PGSLUICE_DEBUG: "1" })),
  ]);
  assertEquals(without, { code: 1, stdout: "", stderr: brief });
  assertEquals(with_.stderr.startsWith(`${brief}TypeError: no such thing\n    at `), true);
});

Deno.test("a stray error ends the process as a thrown one does", async () => {
  const [rejection, error] = await Promise.all([
    end(probe(["stray", "rejection"])),
    end(probe(["stray", "error"])),
  ]);
  assertEquals(rejection, {
    code: 1,
    stdout: "",
    stderr: "error: the connection is lost [lost]\ntry: try again\n",
  });
  assertEquals(error.code, 1);
  assertEquals(error.stderr.split("\n")[0], "error: internal: RangeError: thrown from nowhere");
  assertEquals(error.stderr.includes("    at "), false);
});

Deno.test("a command whose reader goes away ends quietly with success", async () => {
  const process = probe(["flood"]);
  const reader = process.stdout.getReader();
  await reader.read();
  await reader.cancel();
  assertEquals(await new Response(process.stderr).text(), "");
  assertEquals((await process.status).code, 0);
});

/** Shares its stdout with what it starts, and makes it non-blocking, as Node does with a pipe. */
const NODE = `
  const [program, ...args] = process.argv.slice(1);
  require("node:child_process").spawn(program, args, { stdio: "inherit" });
  process.stdout.write("");`;

Deno.test("data arrives whole through a full pipe that Node made non-blocking", async () => {
  const { stdout } = await new Deno.Command("node", {
    args: ["-e", NODE, Deno.execPath(), "run", "--quiet", "--no-check", "-A", PROBE, "count"],
    stderr: "inherit",
  }).output();
  const numbers = new TextDecoder().decode(stdout).trimEnd().split("\n");
  assertEquals(numbers.length, 500_000);
  assertEquals(numbers.findIndex((number, index) => number !== String(index)), -1);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`the first ${signal} lets a command finish and return its own exit code`, async () => {
    assertEquals(await endAfter(probe(["finishing"]), [{ line: "ready", kill: [signal] }]), {
      code: 0,
      stdout: "ready\nfinished\n",
      stderr: "stopping; once more to abort\n",
    });
  });
}

Deno.test("a command that a signal kept from its end exits as one that a signal ended", async () => {
  const [byInterrupt, byTerminate] = await Promise.all([
    endAfter(probe(["interrupted", "--quiet"]), [{ line: "ready", kill: ["SIGINT"] }]),
    endAfter(probe(["interrupted", "--quiet"]), [{ line: "ready", kill: ["SIGTERM"] }]),
  ]);
  assertEquals(byInterrupt, { code: 130, stdout: "ready\n", stderr: "" });
  assertEquals(byTerminate, { code: 143, stdout: "ready\n", stderr: "" });
});

Deno.test("the second signal ends a command that does not stop", async () => {
  const ended = await endAfter(probe(["stuck"]), [
    { line: "ready", kill: ["SIGTERM"] },
    { line: "aborted", kill: ["SIGINT"] },
  ]);
  assertEquals(ended.code, 130);
});

Deno.test("an interactive command leaves SIGINT to its child and stops on SIGTERM", async () => {
  const ended = await endAfter(probe(["child"]), [
    { line: "ready", kill: ["SIGINT", "SIGINT", "SIGTERM"] },
  ]);
  assertEquals(ended.code, 0);
});
