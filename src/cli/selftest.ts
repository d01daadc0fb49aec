import { EXIT } from "../pgsluice_error.ts";
import { CAMPAIGNS } from "../selftest/campaign.ts";
import type { SelftestReport } from "../selftest/selftest_report.ts";
import type { Command, CommandContext, Terminal } from "./command.ts";
import { databaseFlag, jsonFlag, quietFlag } from "./common_flags.ts";
import { escapeControls } from "../escape_controls.ts";
import { formatCount, formatDuration } from "./number_format.ts";
import { renderTable } from "./render_table.ts";

/** Together about a minute. */
const DEFAULTS = { kills: 40, faults: 40 } as const;

export const selftestCommand: Command = {
  name: "selftest",
  summary: "kill and disturb ingesters on purpose, and prove that nothing is lost",
  flags: [
    {
      name: "kills",
      kind: "whole",
      placeholder: "N",
      summary: "kill the process so often, each time with a batch open",
      defaultText: String(DEFAULTS.kills),
    },
    {
      name: "faults",
      kind: "whole",
      placeholder: "N",
      summary: "let so many operations of files, journal and database fail",
      defaultText: String(DEFAULTS.faults),
    },
    {
      name: "seed",
      kind: "whole",
      placeholder: "N",
      summary: "decides the events, and where kills and faults fall",
      defaultText: "a random one",
    },
    {
      name: "only",
      kind: "text",
      placeholder: "CAMPAIGN",
      summary: "run one of the campaigns",
      choices: CAMPAIGNS,
      defaultText: "all of them",
    },
    databaseFlag,
    jsonFlag,
    quietFlag,
  ],
  details: [
    "batches: single batches fail at every step, or are a stale ingester's. faults: each operation of an " +
    "ingester fails in turn, once and for good. outages: backends are terminated, connections cut, " +
    "answers to COMMIT and commits lost. kills: the process is killed by SIGKILL in every phase.",
    "Everything happens in a schema pgsluice_selftest_… of its own and in pipelines named " +
    "selftest …, and is removed afterwards. The ledger's form is brought to this version's, as " +
    "every command does. Exit code 0 only if nothing was lost, doubled, or not as promised.",
  ].join("\n\n"),
  run: runSelftestCommand,
};

async function runSelftestCommand(
  { flags, terminal, signal }: CommandContext,
): Promise<number> {
  const { runVictim, VICTIM_VARIABLE } = await import("../selftest/victim.ts");
  const order = Deno.env.get(VICTIM_VARIABLE);
  if (order) {
    await runVictim(JSON.parse(order), { signal, tell: writeLine });
    return EXIT.done;
  }
  const { targetFromFlags } = await import("./database_option.ts");
  const { runSelftest } = await import("../selftest/selftest.ts");
  const only = flags.text("only");
  const report = await runSelftest({
    target: targetFromFlags(flags),
    seed: flags.number("seed") ?? crypto.getRandomValues(new Uint32Array(1))[0]!,
    kills: flags.number("kills") ?? DEFAULTS.kills,
    faults: flags.number("faults") ?? DEFAULTS.faults,
    campaigns: CAMPAIGNS.filter((campaign) => only === undefined || campaign === only),
    signal,
  }, {
    progress: (text) => terminal.live(text),
    say: (text) => terminal.say(text),
  });
  terminal.live(null);
  await terminal.write(
    flags.switch("json") ? `${JSON.stringify(report)}\n` : render(report, terminal),
  );
  return report.isKept ? EXIT.done : EXIT.failed;
}

/** At once, for the process may not live to write it later. */
function writeLine(text: string): void {
  const bytes = new TextEncoder().encode(`${text}\n`);
  for (let from = 0; from < bytes.length;) from += Deno.stdout.writeSync(bytes.subarray(from));
}

function render(report: SelftestReport, terminal: Terminal): string {
  const { kills, faults, lastKillPart, violations, violationCount } = report;
  const parts = [
    ...(kills > 0 ? [histogram("killed in", report.killsByPhase, terminal)] : []),
    ...(faults > 0 ? [histogram("failed at", report.faultsByPoint, terminal)] : []),
  ];
  const more = violationCount - violations.length;
  const lines = [
    ...violations.map((text) => `violation: ${escapeControls(text)}`),
    ...(more > 0 ? [`… and ${formatCount(more)} more violations`] : []),
    ...(lastKillPart === null
      ? []
      : [`the last kill fell at ${Math.round(100 * lastKillPart)} % of the input`]),
    `${formatCount(report.lives)} lives of ingesters in ${formatDuration(report.elapsedMs)}`,
    report.summary,
  ];
  return [...parts, lines.map((line) => `${line}\n`).join("")].join("\n");
}

function histogram(
  header: string,
  counts: Readonly<Record<string, number>>,
  terminal: Terminal,
): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return renderTable({
    columns: [
      { header, align: "left" },
      { header: "times", align: "right" },
      { header: "share", align: "right" },
    ],
    rows: Object.entries(counts).map(([name, count]) => [
      name,
      formatCount(count),
      `${(100 * count / total).toFixed(1)} %`,
    ]),
    ...(terminal.stdoutIsTerminal && { maxWidth: terminal.columns }),
  });
}
