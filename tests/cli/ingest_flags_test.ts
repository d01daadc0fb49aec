import { assert, assertEquals, assertThrows } from "@std/assert";
import { ingestCommand } from "../../src/cli/ingest.ts";
import { ingestLimits } from "../../src/cli/ingest_flags.ts";
import { parseArguments } from "../../src/cli/flags.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";

function limitsOf(...args: readonly string[]) {
  return ingestLimits(parseArguments(ingestCommand, args, () => undefined).flags);
}

Deno.test("batches and connections are found out within limits unless a flag names them", () => {
  const { limits, connections, tuned } = limitsOf();
  assertEquals(limits, { rows: 20_000, sizeBytes: 8 * 1024 * 1024, lingerMs: 20 });
  assertEquals(connections, Math.min(4, navigator.hardwareConcurrency + 1));
  assertEquals(tuned, { batchRows: true, connections: true });
});

Deno.test("a flag that is given is what is done", () => {
  const rows = limitsOf("--batch-rows", "50_000");
  assertEquals([rows.limits.rows, rows.tuned], [50_000, { batchRows: false, connections: true }]);
  const connections = limitsOf("--connections", "1");
  assertEquals(
    [connections.connections, connections.tuned],
    [1, { batchRows: true, connections: false }],
  );
  const bytes = limitsOf("--batch-bytes", "1MiB");
  assertEquals(bytes.limits.sizeBytes, 1024 * 1024);
});

Deno.test("numbers that make no sense are usage errors", () => {
  for (
    const args of [
      ["--batch-rows", "0"],
      ["--batch-bytes", "0"],
      ["--connections", "0"],
      ["--connections", "65"],
    ]
  ) {
    const error = assertThrows(() => limitsOf(...args), PgsluiceError);
    assert(error.message.startsWith(args.join(" ")), error.message);
    assertEquals(error.exitCode, 2);
  }
});
