import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { DemoListener, DemoResult } from "../demo/demo_ground.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { quietFlag } from "./common_flags.ts";
import { escapeControls } from "../escape_controls.ts";
import { formatCount, formatDuration, formatRate } from "./number_format.ts";
import { renderTable } from "./render_table.ts";

const FOLDER = "pgsluice-demo";
/** Says that a folder is a demo's, so that the next demo may throw it away. */
const MARKER = ".pgsluice-demo";

export const demoCommand: Command = {
  name: "demo",
  summary: "generate, ingest, kill, restart, verify and report, in well under a minute",
  flags: [
    {
      name: "dashboard",
      kind: "switch",
      summary: "go on generating and loading, with the live page, until Ctrl-C",
    },
    quietFlag,
  ],
  details: [
    `Everything happens in ./${FOLDER}, with a PostgreSQL server of its own that ends with ` +
    "the demo. Exit code 0 only if every event was verified.",
    "With --dashboard the page's URL goes to stdout. A day of the shop's comes at once, then 400 " +
    "events a second; the ingester is killed once. Ctrl-C ends the generator, loads what is left, " +
    "and verifies.",
  ].join("\n\n"),
  run: runDemoCommand,
};

async function runDemoCommand({ flags, terminal, signal }: CommandContext): Promise<number> {
  const { resolve } = await import("@std/path");
  const home = resolve(FOLDER);
  await makeFolder(home);
  const result = await (flags.switch("dashboard") ? runLive() : runOnce());
  terminal.live(null);
  await terminal.write(render(result, terminal));
  terminal.say(
    `the files and the database stay in ./${FOLDER}; to look around:\n` +
      `  PGSLUICE_HOME=./${FOLDER} pgsluice status\n` +
      `  PGSLUICE_HOME=./${FOLDER} pgsluice db psql`,
  );
  return result.report.isExact ? EXIT.done : EXIT.data;

  async function runOnce(): Promise<DemoResult> {
    const { runDemo } = await import("../demo/demo.ts");
    return await runDemo({ home, signal }, listenerOf(terminal));
  }

  async function runLive(): Promise<DemoResult> {
    const { runLiveDemo } = await import("../demo/live_demo.ts");
    return await runLiveDemo({ home, signal }, {
      ...listenerOf(terminal),
      serving(url) {
        terminal.write(`${url}\n`).catch(() => {}); // whoever read stdout has gone
        terminal.say("open it in a browser; Ctrl-C ends the demo");
      },
    });
  }
}

async function makeFolder(home: string): Promise<void> {
  const { join } = await import("@std/path");
  try {
    await Deno.mkdir(home);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw new PgsluiceError("demo-folder", `cannot make ${home}: ${String(error)}`, {
        hint: "run the demo in a folder where you may write",
        cause: error,
      });
    }
    const isDemo = await Deno.stat(join(home, MARKER)).then(() => true, () => false);
    if (!isDemo) {
      throw new PgsluiceError("demo-folder", `${home} is there and is not a former demo's`, {
        hint: "run the demo in another folder, or move that one away",
      });
    }
    const { stopEmbeddedServer } = await import("../database/embedded_server.ts");
    await stopEmbeddedServer(join(home, "data", "postgres"));
    await Deno.remove(home, { recursive: true });
    await Deno.mkdir(home);
  }
  await Deno.writeTextFile(join(home, MARKER), "a demo of pgsluice; may be removed\n");
}

function listenerOf(terminal: Terminal): DemoListener {
  return {
    step(text) {
      terminal.say(text);
    },
    progress({ loaded, rejected, duplicate, medianLatencyMs, recordsPerSecond }) {
      const latency = medianLatencyMs === null
        ? ""
        : `  latency ${formatDuration(medianLatencyMs)} (median)`;
      terminal.live(
        `${formatCount(loaded)} loaded  ${formatCount(rejected)} rejected  ` +
          `${formatCount(duplicate)} duplicates  ${
            formatRate(recordsPerSecond, "events")
          }${latency}`,
      );
    },
  };
}

function render(result: DemoResult, terminal: Terminal): string {
  const { hours, rejects, latencies, report } = result;
  const width = terminal.stdoutIsTerminal ? { maxWidth: terminal.columns } : {};
  const hourTable = renderTable({
    columns: [
      { header: "hour", align: "right" },
      { header: "views", align: "right" },
      { header: "purchases", align: "right" },
      { header: "revenue", align: "right" },
    ],
    rows: hours.map(({ hour, views, purchases, revenue }) => [
      `${String(hour).padStart(2, "0")}:00`,
      formatCount(views),
      formatCount(purchases),
      revenue,
    ]),
    ...width,
  });
  const rejectTable = renderTable({
    columns: [
      { header: "rejected", align: "right" },
      { header: "reason", align: "left" },
      { header: "first one", align: "left" },
    ],
    rows: rejects.map(({ code, count, example }) => [
      formatCount(count),
      code,
      escapeControls(example),
    ]),
    ...width,
  });
  const { files, p50, p95, p99, slowest } = latencies;
  const latency = `latency from a file's rename to its commit, ${formatCount(files)} files: ` +
    `p50 ${formatDuration(p50)}, p95 ${formatDuration(p95)}, p99 ${formatDuration(p99)}, ` +
    `slowest ${formatDuration(slowest)} (the kill is in it)`;
  return ["", hourTable, rejectTable, latency, report.summary, ""].join("\n");
}
