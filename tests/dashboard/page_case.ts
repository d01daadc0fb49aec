/** Tests that see the page in a browser. */
import type { Browser, Page } from "playwright-core";
import { CHROMIUM, launchBrowser, NO_CHROMIUM } from "./browser.ts";
import { PageServer } from "./page_server.ts";

export interface PagePlace {
  readonly browser: Browser;
  readonly server: PageServer;
  /**
   * Opens the page as a person with such a screen does.
   * @param options.isOwn false: what goes wrong in it is no fault of the page
   */
  open(options?: PageOptions): Promise<Page>;
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: "light" | "dark";
  /** Runs in the page before its own scripts. */
  readonly before?: () => void;
}

/**
 * A test with a browser and a server of its own; left out where there is no Chromium. It fails if
 * anything is written to a page's console as a warning or an error, is thrown there, or asked of
 * another place than the server.
 * @param options.mayFail what browsers say of a server that is away is no fault of the page
 */
export function pageCase(
  name: string,
  body: (place: PagePlace) => Promise<void>,
  { mayFail = false }: { mayFail?: boolean } = {},
): void {
  if (CHROMIUM === null) console.warn(`left out: ${name}: ${NO_CHROMIUM}`);
  Deno.test({
    name,
    ignore: CHROMIUM === null,
    async fn() {
      const browser = await launchBrowser();
      try {
        await using server = new PageServer();
        const wrong: string[] = [];
        await body({
          browser,
          server,
          open: (options = {}) => openPage(browser, server, { ...options, wrong, mayFail }),
        });
        if (wrong.length > 0) throw new Error(`in the browser:\n${wrong.join("\n")}`);
      } finally {
        await browser.close();
      }
    },
  });
}

async function openPage(
  browser: Browser,
  server: PageServer,
  { width = 1280, height = 900, theme = "light", before, wrong, mayFail }: PageOptions & {
    wrong: string[];
    mayFail: boolean;
  },
): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
  page.on("pageerror", (error) => wrong.push(String(error.stack)));
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    if (mayFail && /net::ERR_|Failed to load resource/.test(message.text())) return;
    wrong.push(`${message.type()}: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { origin } = new URL(request.url());
    if (origin !== new URL(server.url).origin) wrong.push(`asked ${request.url()}`);
  });
  if (before !== undefined) await page.addInitScript(before);
  await page.goto(server.url);
  return page;
}
