import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { fastDirectory } from "../support/test_server.ts";
import { until } from "../support/until.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

Deno.test("demo --dashboard serves the page, goes on after a kill, and verifies at Ctrl-C", async () => {
  const home = await Deno.makeTempDir({ dir: await fastDirectory() });
  await Deno.chmod(home, 0o711);
  const demo = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", MAIN, "demo", "--dashboard"],
    cwd: home,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let [stdout, stderr] = ["", ""];
  const reading = Promise.all([
    demo.stdout.pipeThrough(new TextDecoderStream())
      .pipeTo(new WritableStream({ write: (text) => void (stdout += text) })),
    demo.stderr.pipeThrough(new TextDecoderStream())
      .pipeTo(new WritableStream({ write: (text) => void (stderr += text) })),
  ]);
  try {
    await until("it prints the URL", () => stdout.includes("\n"));
    const page = await fetch(stdout.trim());
    assertEquals(page.status, 200);
    assertStringIncludes(await page.text(), "<title>pgsluice</title>");
    await until("the ingester was killed", () => stderr.includes("SIGKILL"));
    demo.kill("SIGINT");
    const { code } = await demo.status;
    await reading;
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /\nverified: \d+ events = \d+ loaded \+ \d+ rejected \+ \d+ duplicates\n/);
  } finally {
    try {
      demo.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await reading;
    await Deno.remove(home, { recursive: true });
  }
});
