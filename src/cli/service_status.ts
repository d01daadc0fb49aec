import { EXIT } from "../pgsluice_error.ts";
import type { ServiceState } from "../service/service_states.ts";
import type { Command, CommandContext } from "./command.ts";
import { jsonFlag, quietFlag } from "./common_flags.ts";
import { formatBytes, formatCount } from "./number_format.ts";
import { renderTable, type TableColumn } from "./render_table.ts";
import { servicePipelineFlag } from "./service_flags.ts";

export const serviceStatusCommand: Command = {
  name: "service status",
  summary: "show what systemd knows of each pipeline's service",
  flags: [
    { ...servicePipelineFlag, summary: "only this pipeline's" },
    jsonFlag,
    quietFlag,
  ],
  run: runStatus,
};

const COLUMNS: readonly TableColumn[] = [
  { header: "pipeline", align: "left" },
  { header: "state", align: "left" },
  { header: "since", align: "left" },
  { header: "restarts", align: "right" },
  { header: "memory", align: "right" },
  { header: "doing", align: "left" },
];

async function runStatus({ flags, terminal }: CommandContext): Promise<number> {
  const { refuseUnnameable } = await import("../service/pipeline_instance.ts");
  const { readServiceStates } = await import("../service/service_states.ts");
  const { runningSystemd } = await import("../service/systemd.ts");
  const named = flags.text("pipeline");
  const pipeline = named === undefined ? undefined : refuseUnnameable(named);
  const services = await readServiceStates(await runningSystemd(), { pipeline });
  if (flags.switch("json")) {
    await terminal.write(`${JSON.stringify({ services })}\n`);
  } else if (services.length === 0) {
    terminal.say("no service of a pipeline runs or is enabled; see `pgsluice service install`");
  } else {
    await terminal.write(renderTable({
      columns: COLUMNS,
      rows: services.map(row),
      ...(terminal.stdoutIsTerminal && { maxWidth: terminal.columns }),
    }));
  }
  return EXIT.done;
}

function row(service: ServiceState): string[] {
  return [
    service.pipeline,
    service.load === "loaded" ? stateText(service) : service.load,
    service.since ?? "-",
    formatCount(service.restarts),
    service.memoryBytes === null ? "-" : formatBytes(service.memoryBytes),
    service.doing ?? "-",
  ];
}

/** As in `active (running)` and `failed (exit-code)`. */
function stateText({ state, subState, result }: ServiceState): string {
  return `${state} (${state === "failed" ? result : subState})`;
}
