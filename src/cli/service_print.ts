import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { executableFlag, servicePipelineFlag } from "./service_flags.ts";

export const servicePrintCommand: Command = {
  name: "service print",
  summary: "print the systemd unit pgsluice@.service, one process a pipeline",
  flags: [
    { ...servicePipelineFlag, summary: "with this pipeline's name filled in" },
    executableFlag,
  ],
  run: runPrint,
};

async function runPrint({ flags, terminal }: CommandContext): Promise<number> {
  const { unitText } = await import("../service/unit.ts");
  const program = await import("../service/service_executable.ts");
  const { refuseUnnameable } = await import("../service/pipeline_instance.ts");
  const pipeline = flags.text("pipeline");
  await terminal.write(unitText({
    executable: program.refuseUnnamed(
      flags.text("executable") ?? await program.ownExecutable() ?? program.USUAL_EXECUTABLE,
    ),
    ...(pipeline !== undefined && { pipeline: refuseUnnameable(pipeline) }),
  }));
  return EXIT.done;
}
