import { assertEquals } from "@std/assert";
import { setColorEnabled } from "@std/fmt/colors";
import { reportError } from "../../src/cli/report_error.ts";
import { ProcessTerminal } from "../../src/cli/terminal.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";

function reported(error: unknown): { exitCode: number; stderr: string } {
  let stderr = "";
  const terminal = new ProcessTerminal({
    stdout: { write: () => Promise.reject(new Error("an error is no data")) },
    stderr: {
      writeSync(bytes) {
        stderr += new TextDecoder().decode(bytes);
        return bytes.length;
      },
    },
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: () => 80,
  });
  setColorEnabled(false);
  return { exitCode: reportError(error, { terminal, debug: false }), stderr };
}

Deno.test("an error of the database that nobody explained is no fault of the program", () => {
  const error = Object.assign(new Error("permission denied for table batches"), { code: "42501" });
  error.name = "PostgresError";
  const { exitCode, stderr } = reported(error);
  assertEquals(exitCode, 1);
  const what = "permission denied for table batches (SQLSTATE 42501)";
  assertEquals(stderr.split("\n")[0], `error: asking the database: ${what} [database-permission]`);
});

Deno.test("a URL typed where none belongs is shown without its password", () => {
  for (const url of ["postgres://u:geheim@h/x", "--database=postgresql://u:ge@hei/m@h/x?host=y"]) {
    const error = new PgsluiceError("usage", `status does not take ${url}`, { hint: "none" });
    const { stderr } = reported(error);
    assertEquals(/geheim|hei/.test(stderr), false, stderr);
    assertEquals(stderr.includes("://u:…@h/x"), true, stderr);
  }
});
