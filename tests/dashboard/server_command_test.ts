import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { PAGE_ASSETS } from "../../src/dashboard/page_assets.ts";
import { ingestCase } from "../support/ingest_case.ts";
import { csvText, eventLines, ingestOnce, writeEvents } from "../support/ingest_fixture.ts";
import { Told } from "./served_dashboard.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

/** `pgsluice dashboard` as a process of its own. */
class DashboardProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: ReadableStreamDefaultReader<Uint8Array>;
  readonly #stderr: Promise<string>;

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "-A", MAIN, "dashboard", ...args],
      env: { NO_COLOR: "1", CREDENTIALS_DIRECTORY: "", ...environment },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = this.#child.stdout.getReader();
    this.#stderr = new Response(this.#child.stderr).text();
  }

  /** What it writes to stdout when it serves. */
  async url(): Promise<string> {
    const { value } = await this.#stdout.read();
    return new TextDecoder().decode(value);
  }

  async end(signal: Deno.Signal | null = null): Promise<{ code: number; stderr: string }> {
    if (signal !== null) this.#child.kill(signal);
    const { code } = await this.#child.status;
    return { code, stderr: await this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#stdout.cancel();
    await this.end();
  }
}

ingestCase("the command serves the page until it is told to stop, and ends well", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 5)));
  await ingestOnce(place);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    await using served = new DashboardProcess([
      ...["--listen", ":0", "--database", place.database.url],
    ]);
    const url = await served.url();
    assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+\/\n$/);
    for (const [path, { body }] of PAGE_ASSETS) {
      const response = await fetch(new URL(path, url.trim()));
      assertEquals([response.status, await response.text()], [200, body], path);
    }
    const told = new Told(url.trim());
    await told.until("it is told", () => told.sum("traffic", "events") === 5);
    const { code, stderr } = await served.end(signal);
    assertEquals([code, stderr], [
      0,
      "serving the live page; Ctrl-C ends it\nstopping; once more to abort\n",
    ]);
    await told.ended();
  }
});

ingestCase(
  "the command's token is printed, unless it is a credential, and no log has it",
  async (place) => {
    const args = ["--listen", "0.0.0.0:0", "--database", place.database.url];
    {
      await using served = new DashboardProcess(args);
      const url = await served.url();
      assertMatch(url, /^http:\/\/[^/]+:\d+\/\?token=[\w-]{43}\n$/);
      const { stderr } = await served.end("SIGTERM");
      assertMatch(
        stderr,
        /^others can reach it, with the token; what they are sent is not encrypted\n/m,
      );
      assertEquals(stderr.includes(new URL(url.trim()).searchParams.get("token")!), false);
    }
    const secret = "0123456789abcdef";
    await Deno.writeTextFile(join(place.home, "dashboard-token"), `${secret}\n`);
    {
      await using served = new DashboardProcess(args, { CREDENTIALS_DIRECTORY: place.home });
      const url = await served.url();
      assertMatch(url, /^http:\/\/[^/]+:\d+\/\n$/);
      const { port } = new URL(url.trim());
      const answer = await fetch(`http://127.0.0.1:${port}/?token=${secret}`, {
        redirect: "manual",
      });
      await answer.body?.cancel();
      assertEquals(answer.status, 303);
      const { stderr } = await served.end("SIGTERM");
      assertMatch(stderr, /, of the credential dashboard-token; /);
      assertEquals(stderr.includes(secret), false);
    }
    await Deno.writeTextFile(join(place.home, "dashboard-token"), "short");
    await using refused = new DashboardProcess(args, { CREDENTIALS_DIRECTORY: place.home });
    const { code, stderr } = await refused.end();
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^error: the credential dashboard-token is too short: .* \[credential\]\ntry: /,
    );
  },
);

ingestCase("a port that is taken ends the command with what to do", async (place) => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using served = new DashboardProcess([
    ...["--listen", `:${port}`, "--database", place.database.url],
  ]);
  const { code, stderr } = await served.end();
  assertEquals(code, 1);
  assert(stderr.startsWith(`error: cannot listen on 127.0.0.1:${port}: `), stderr);
  assertMatch(
    stderr,
    /\[listen\]\ntry: another process listens there: end it, or give another port/,
  );
});
