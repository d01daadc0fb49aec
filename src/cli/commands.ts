import type { Command } from "./command.ts";
import { checkpointCheckCommand } from "./checkpoint_check.ts";
import { checkpointRepairCommand } from "./checkpoint_repair.ts";
import { checkpointShowCommand } from "./checkpoint_show.ts";
import { completionCommand } from "./completion.ts";
import { configSchemaCommand } from "./config_schema.ts";
import { configShowCommand } from "./config_show.ts";
import { dashboardCommand } from "./dashboard.ts";
import { dbPsqlCommand } from "./db_psql.ts";
import { dbStartCommand } from "./db_start.ts";
import { dbStatusCommand } from "./db_status.ts";
import { dbStopCommand } from "./db_stop.ts";
import { dbUrlCommand } from "./db_url.ts";
import { demoCommand } from "./demo.ts";
import { doctorCommand } from "./doctor.ts";
import { exportCommand } from "./export.ts";
import { filesAcceptCommand } from "./files_accept.ts";
import { filesListCommand } from "./files_list.ts";
import { filesReloadCommand } from "./files_reload.ts";
import { filesUndoCommand } from "./files_undo.ts";
import { generateCommand } from "./generate.ts";
import { ingestCommand } from "./ingest.ts";
import { manCommand } from "./man.ts";
import { pruneCommand } from "./prune.ts";
import { queryCommand } from "./query.ts";
import { rejectsDiscardCommand } from "./rejects_discard.ts";
import { rejectsExportCommand } from "./rejects_export.ts";
import { rejectsListCommand } from "./rejects_list.ts";
import { rejectsRetryCommand } from "./rejects_retry.ts";
import { rejectsShowCommand } from "./rejects_show.ts";
import { selftestCommand } from "./selftest.ts";
import { serviceInstallCommand } from "./service_install.ts";
import { servicePrintCommand } from "./service_print.ts";
import { serviceStatusCommand } from "./service_status.ts";
import { serviceUninstallCommand } from "./service_uninstall.ts";
import { setupCommand } from "./setup.ts";
import { statusCommand } from "./status.ts";
import { verifyCommand } from "./verify.ts";

/** Every command, in the order of help. Their modules load what is heavy only when they run. */
export const COMMANDS: readonly Command[] = [
  demoCommand,
  generateCommand,
  ingestCommand,
  statusCommand,
  dashboardCommand,
  queryCommand,
  exportCommand,
  doctorCommand,
  verifyCommand,
  filesListCommand,
  filesReloadCommand,
  filesUndoCommand,
  filesAcceptCommand,
  rejectsListCommand,
  rejectsShowCommand,
  rejectsExportCommand,
  rejectsRetryCommand,
  rejectsDiscardCommand,
  pruneCommand,
  checkpointShowCommand,
  checkpointCheckCommand,
  checkpointRepairCommand,
  setupCommand,
  serviceInstallCommand,
  serviceUninstallCommand,
  serviceStatusCommand,
  servicePrintCommand,
  selftestCommand,
  dbStartCommand,
  dbStopCommand,
  dbStatusCommand,
  dbUrlCommand,
  dbPsqlCommand,
  configShowCommand,
  configSchemaCommand,
  completionCommand,
  manCommand,
];
