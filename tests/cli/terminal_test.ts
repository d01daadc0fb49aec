import { assertEquals, assertRejects } from "@std/assert";
import { red, setColorEnabled } from "@std/fmt/colors";
import { ProcessTerminal, type ProcessTerminalOptions } from "../../src/cli/terminal.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";

const ERASE = "\r\x1b[2K";

/** Says what to do with a write: take so many bytes, or throw. */
type Outcome = number | Error;

/** A terminal on outputs that remember, take as `stdoutOutcomes` say, then everything. */
function recorded(
  options: Partial<ProcessTerminalOptions> = {},
  stdoutOutcomes: Outcome[] = [],
): { terminal: ProcessTerminal; stdout: () => string; stderr: () => string } {
  let stdout = "";
  let stderr = "";
  const terminal = new ProcessTerminal({
    stdout: {
      write(bytes) {
        const outcome = stdoutOutcomes.shift() ?? bytes.length;
        if (outcome instanceof Error) return Promise.reject(outcome);
        stdout += new TextDecoder().decode(bytes.subarray(0, outcome));
        return Promise.resolve(Math.min(outcome, bytes.length));
      },
    },
    stderr: {
      writeSync(bytes) {
        stderr += new TextDecoder().decode(bytes);
        return bytes.length;
      },
    },
    stdoutIsTerminal: false,
    stderrIsTerminal: true,
    columns: () => 20,
    ...options,
  });
  return { terminal, stdout: () => stdout, stderr: () => stderr };
}

Deno.test("write delivers everything in order when the reader takes it in pieces", async () => {
  const { terminal, stdout } = recorded({}, [1, 2, 1]);
  await Promise.all([
    terminal.write("first,"),
    terminal.write(new TextEncoder().encode("second,")),
    terminal.write("third"),
  ]);
  assertEquals(stdout(), "first,second,third");
});

Deno.test("write rejects with BrokenPipe when the reader has gone, and remembers it", async () => {
  const { terminal } = recorded({}, [new Deno.errors.BrokenPipe("gone")]);
  await assertRejects(() => terminal.write("data"), Deno.errors.BrokenPipe);
  assertEquals(terminal.stdoutClosed, true);
});

Deno.test("write says that standard output cannot take it when the disk is full", async () => {
  const { terminal } = recorded({}, [new Error("No space left on device (os error 28)")]);
  const error = await assertRejects(() => terminal.write("data"), PgsluiceError);
  assertEquals(error.code, "output");
  assertEquals(
    error.message,
    "cannot write to standard output: No space left on device (os error 28)",
  );
  assertEquals(terminal.stdoutClosed, false);
});

Deno.test("the live line steps aside for talk and comes back below it", () => {
  const { terminal, stderr } = recorded();
  terminal.live("10 rows");
  terminal.say("a file failed");
  terminal.close();
  assertEquals(
    stderr(),
    `${ERASE}10 rows` + `${ERASE}a file failed\n` + `${ERASE}10 rows` + ERASE,
  );
});

Deno.test("the live line steps aside for data on the same terminal", async () => {
  const { terminal, stderr } = recorded({ stdoutIsTerminal: true });
  terminal.live("10 rows");
  await terminal.write("data\n");
  terminal.close();
  assertEquals(stderr(), `${ERASE}10 rows${ERASE}`);
});

Deno.test("the live line is drawn at once and then no oftener than can be read", () => {
  const { terminal, stderr } = recorded();
  for (let count = 1; count <= 1_000; count++) terminal.live(`${count} rows`);
  terminal.close();
  assertEquals(stderr(), `${ERASE}1 rows${ERASE}`);
});

Deno.test("the last live text is shown even if it came too soon after the one before", async () => {
  const shown = Promise.withResolvers<void>();
  const { terminal } = recorded({
    stderr: {
      writeSync(bytes) {
        if (new TextDecoder().decode(bytes).includes("2 rows")) shown.resolve();
        return bytes.length;
      },
    },
  });
  // the terminal's own timer keeps no process alive, so the test brings one that does
  const alive = setInterval(() => {}, 1_000);
  terminal.live("1 rows");
  terminal.live("2 rows");
  await shown.promise;
  clearInterval(alive);
  terminal.close();
});

Deno.test("the live line is cut to the terminal, without its colours, and never wraps", () => {
  const { terminal, stderr } = recorded();
  setColorEnabled(true);
  terminal.live(`${red("0123456789")}0123456789`);
  setColorEnabled(false);
  terminal.close();
  assertEquals(stderr(), `${ERASE}012345678901234567…${ERASE}`);
});

Deno.test("there is no live line where stderr is not a terminal", () => {
  const { terminal, stderr } = recorded({ stderrIsTerminal: false });
  terminal.live("10 rows");
  terminal.say("done");
  terminal.close();
  assertEquals(stderr(), "done\n");
});

Deno.test("--quiet silences talk and the live line but no error", () => {
  const { terminal, stderr } = recorded();
  terminal.quiet = true;
  terminal.live("10 rows");
  terminal.say("done");
  terminal.sayError("error: failed");
  terminal.close();
  assertEquals(stderr(), "error: failed\n");
});

Deno.test("talk to a stderr whose reader has gone is given up, not thrown", () => {
  const { terminal } = recorded({
    stderr: {
      writeSync() {
        throw new Deno.errors.BrokenPipe("gone");
      },
    },
  });
  terminal.say("anyone?");
});
