import { DASHBOARD_ADDRESS } from "../dashboard/dashboard_address.ts";
import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { databaseFlag, pipelineFlag, quietFlag } from "./common_flags.ts";
import { listenFlag } from "./listen_flag.ts";

const TOKEN_CREDENTIAL = "dashboard-token";
/** Characters. A random one of so many letters is not guessed. */
const SHORTEST_TOKEN = 16;

export const dashboardCommand: Command = {
  name: "dashboard",
  summary: "serve a live page of what flows, what sold and what went wrong",
  flags: [
    {
      ...listenFlag,
      summary: "where the page is served; :8766 is of this machine only",
      defaultText: DASHBOARD_ADDRESS,
    },
    pipelineFlag,
    databaseFlag,
    quietFlag,
  ],
  details: [
    "The page's URL goes to stdout; Ctrl-C and SIGTERM end it with exit code 0. It needs no network " +
    "but this one, and no ingester: it shows what the database has, as it changes. While no page " +
    "is open, the database is asked nothing; fifty pages cost it as much as one. A database that " +
    "is away, or has nothing of the pipeline yet, is waited for, and the page says so.",
    "On an address that others can reach (0.0.0.0:8766, or one of this machine's) it asks for a " +
    "token, which is in the URL and a new one at each start. For a service, put one of " +
    `${SHORTEST_TOKEN} characters or more into the credential ${TOKEN_CREDENTIAL} (systemd: ` +
    `LoadCredential=${TOKEN_CREDENTIAL}:FILE); the URL is then printed without it. There is no ` +
    "TLS: across a network that is not yours, use `ssh -L 8766:127.0.0.1:8766 HOST`, or a proxy.",
    [
      "  pgsluice dashboard                          # open the URL it prints",
      "  pgsluice dashboard --listen 0.0.0.0:8766    # others may look, with the token",
    ].join("\n"),
  ].join("\n\n"),
  run: runDashboard,
};

async function runDashboard({ flags, terminal, signal }: CommandContext): Promise<number> {
  const { targetFromFlags } = await import("./database_option.ts");
  const { readCredential } = await import("../database/credentials_directory.ts");
  const { serveDashboard } = await import("../dashboard/dashboard_server.ts");
  const { PAGE_ASSETS, PAGE_TAG } = await import("../dashboard/page_assets.ts");
  const token = readCredential(TOKEN_CREDENTIAL, (name) => Deno.env.get(name));
  if (token !== undefined && token.length < SHORTEST_TOKEN) throw shortToken();
  const dashboard = serveDashboard({
    listen: flags.text("listen") ?? DASHBOARD_ADDRESS,
    target: targetFromFlags(flags),
    pipeline: flags.text("pipeline") ?? "default",
    page: { assets: PAGE_ASSETS, tag: PAGE_TAG },
    say: (text) => terminal.say(text),
    ...(token !== undefined && { token }),
  });
  try {
    await terminal.write(`${dashboard.url}\n`);
    if (dashboard.needsToken) {
      const which = token === undefined ? "" : `, of the credential ${TOKEN_CREDENTIAL}`;
      terminal.say(
        `others can reach it, with the token${which}; what they are sent is not encrypted`,
      );
    }
    terminal.say("serving the live page; Ctrl-C ends it");
    await aborted(signal);
  } finally {
    await dashboard.close();
  }
  return EXIT.done;
}

function shortToken(): PgsluiceError {
  return new PgsluiceError(
    "credential",
    `the credential ${TOKEN_CREDENTIAL} is too short: expected ${SHORTEST_TOKEN} characters or more`,
    { hint: "make one with `openssl rand -hex 32`" },
  );
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
