/** A headless Chromium for tests, if there is one. */
import { type Browser, chromium } from "playwright-core";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Where it is: `CHROMIUM` says it, or it is where systems put it; null if it is not there. */
export const CHROMIUM: string | null = findChromium();

/** Tests of the page are left out there, and say why. */
export const NO_CHROMIUM = "no Chromium was found: install it (apt-get install chromium), or say " +
  "where it is with CHROMIUM=/path/to/chromium";

/** @throws Error if there is none */
export async function launchBrowser(): Promise<Browser> {
  if (CHROMIUM === null) throw new Error(NO_CHROMIUM);
  return await chromium.launch({
    executablePath: CHROMIUM,
    // root has no sandbox; small containers have little shared memory
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
  });
}

function findChromium(): string | null {
  const named = Deno.env.get("CHROMIUM");
  if (named !== undefined && named !== "") {
    if (!isFile(named)) throw new Error(`CHROMIUM is ${named}, and there is no such file`);
    return named;
  }
  return PLACES.find(isFile) ?? null;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
