import { EXIT } from "../pgsluice_error.ts";
import type { Command, CommandContext } from "./command.ts";
import { quietFlag } from "./common_flags.ts";
import { executableFlag, placeOf, rootFlag, servicePipelineFlag } from "./service_flags.ts";

/** As `ingest` names it. */
const DEFAULT_PIPELINE = "default";

export const serviceInstallCommand: Command = {
  name: "service install",
  summary: "put the unit, its user and a configuration where systemd finds them",
  flags: [
    { ...servicePipelineFlag, defaultText: DEFAULT_PIPELINE },
    executableFlag,
    rootFlag,
    quietFlag,
  ],
  details: [
    "The unit is a template: pgsluice@NAME.service runs the pipeline NAME with the configuration " +
    "/etc/pgsluice/NAME.json, as the system user pgsluice. It is not started. Installing again " +
    "is safe, and is how a new version's unit is put in place; changes of one's own belong into " +
    "`systemctl edit`.",
    'Events are read from /var/lib/pgsluice/NAME/data/events, unless the configuration has a "source". ' +
    "The user has to be able to read the folder of events, and with --after archive=DIR or " +
    "delete to change it:",
    "  setfacl -m u:pgsluice:rwx /srv/shop/events",
    "  systemctl edit pgsluice@shop     # [Service] ReadWritePaths=/srv/shop",
    "A password of the database goes to /etc/credstore/pgsluice.NAME.database-password.",
  ].join("\n\n"),
  run: runInstall,
};

async function runInstall({ flags, terminal }: CommandContext): Promise<number> {
  const program = await import("../service/service_executable.ts");
  const { installService } = await import("../service/install_service.ts");
  const { refuseUnnameable, unitOf } = await import("../service/pipeline_instance.ts");
  const pipeline = refuseUnnameable(flags.text("pipeline") ?? DEFAULT_PIPELINE);
  const executable = flags.text("executable") ?? await program.ownExecutable();
  if (executable === null) {
    throw program.executableError(Deno.execPath(), "that is Deno, not pgsluice");
  }
  program.refuseUnnamed(executable);
  const place = await placeOf(flags);
  if (place.systemd !== null) await program.refuseUnrunnable(executable);
  const did = await installService({ ...place, executable, pipeline });
  const lines = did.length === 0 ? ["everything was there"] : did;
  await terminal.write(lines.map((line) => `${line}\n`).join(""));
  if (place.systemd !== null) {
    terminal.say(
      `events are read from /var/lib/pgsluice/${pipeline}/data/events unless "source" in ` +
        `/etc/pgsluice/${pipeline}.json names another folder\n` +
        `to start it: systemctl enable --now ${unitOf(pipeline)}`,
    );
  }
  return EXIT.done;
}
