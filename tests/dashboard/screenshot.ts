/**
 * Makes the README's picture: the page of a real `pgsluice demo --dashboard`, some minutes in.
 * `deno run -A tests/dashboard/screenshot.ts [FILE]`
 */
import { fromFileUrl, resolve } from "@std/path";
import { launchBrowser } from "./browser.ts";

const PICTURE = new URL("screenshot.png", import.meta.url);
/** The day that came at once is no part of the last minute any more. */
const LOOK_AFTER_MS = 150_000;

if (import.meta.main) {
  const file = Deno.args[0] === undefined ? fromFileUrl(PICTURE) : resolve(Deno.args[0]);
  const home = await Deno.makeTempDir();
  const demo = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "-A", fromFileUrl(new URL("../../main.ts", import.meta.url))],
      ...["demo", "--dashboard"],
    ],
    cwd: home,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = demo.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: url } = await reader.read();
  reader.releaseLock();
  const browser = await launchBrowser();
  const page = await browser.newPage({
    viewport: { width: 1280, height: 1180 },
    deviceScaleFactor: 1,
    reducedMotion: "reduce",
  });
  await page.goto(url!.trim());
  await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER_MS));
  await page.screenshot({ path: file });
  await browser.close();
  demo.kill("SIGINT");
  const { code } = await demo.status;
  await Deno.remove(home, { recursive: true });
  console.log(`${file}; the demo ended with ${code}`);
}
