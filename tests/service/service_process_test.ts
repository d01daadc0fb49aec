/** A whole `ingest` as systemd runs it: with a notify socket, a configuration file and `--listen`. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { ingestCase } from "../support/ingest_case.ts";
import { csvText, eventLines, verifyExact, writeEvents } from "../support/ingest_fixture.ts";
import { until } from "../support/until.ts";
import { withNotifyListener } from "./notify_listener.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));

ingestCase(
  "an ingest tells systemd that it is ready and stops, and answers over HTTP meanwhile",
  async (place) => {
    await withNotifyListener(async (listener) => {
      await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
      const config = join(place.home, "shop.json");
      await Deno.writeTextFile(
        config,
        JSON.stringify({
          source: place.events,
          database: place.database.url,
          checkpoints: join(place.home, "checkpoints"),
          listen: "127.0.0.1:0",
          "log-format": "json",
        }),
      );
      listener.listen();
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-check", "-A", MAIN, "ingest", "--config", config],
        env: { NOTIFY_SOCKET: listener.path, WATCHDOG_USEC: "1000000" },
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const stderr = new StderrLines(child.stderr);
      try {
        await listener.until(() => listener.fields.includes("READY=1"));
        await until("it says where it listens", () => stderr.ofKind("listening") !== undefined);
        const { address } = stderr.ofKind("listening")!;
        const page = async (path: string) => await (await fetch(`http://${address}${path}`)).text();
        await until(
          "the metrics have all rows",
          async () => /^pgsluice_rows_total\{.*\} 10$/m.test(await page("/metrics")),
        );
        assertEquals(await page("/readyz"), "ready\n");
        assertStringIncludes(await page("/status"), '"loaded":10');
        assert(listener.fields.some((field) => field.startsWith("STATUS=")));
        await listener.until(() => listener.fields.includes("WATCHDOG=1"));
      } finally {
        child.kill("SIGTERM");
        const { code } = await child.status;
        await stderr.ended;
        assertEquals(code, 0, stderr.text);
      }
      await listener.until(() => listener.fields.includes("STOPPING=1"));
      await verifyExact(place);
    });
  },
);

/** What the process says on stderr, a JSON object a line. */
class StderrLines {
  text = "";
  readonly ended: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#read(stream);
  }

  ofKind(event: string): Record<string, string> | undefined {
    const whole = this.text.split("\n").slice(0, -1);
    return whole.map((line) => JSON.parse(line)).find((line) => line.event === event);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) this.text += decoder.decode(bytes, { stream: true });
  }
}
