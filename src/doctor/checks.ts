import { afterCheck } from "./after_check.ts";
import type { Check } from "./check.ts";
import { checkpointsCheck } from "./checkpoints_check.ts";
import { clockCheck } from "./clock_check.ts";
import { connectionsCheck } from "./connections_check.ts";
import { databaseCheck } from "./database_check.ts";
import { durabilityCheck } from "./durability_check.ts";
import { embeddedCheck } from "./embedded_check.ts";
import { fileSystemCheck } from "./file_system_check.ts";
import { folderCheck } from "./folder_check.ts";
import { grantsCheck } from "./grants_check.ts";
import { journalCheck } from "./journal_check.ts";
import { ledgerCheck } from "./ledger_check.ts";
import { namesCheck } from "./names_check.ts";
import { pipelineCheck } from "./pipeline_check.ts";
import { renameCheck } from "./rename_check.ts";
import { serverLogCheck } from "./server_log_check.ts";
import { spaceCheck } from "./space_check.ts";
import { synchronousCommitCheck } from "./synchronous_commit_check.ts";
import { tableCheck } from "./table_check.ts";
import { timeZoneCheck } from "./time_zone_check.ts";
import { untakenCheck } from "./untaken_check.ts";
import { watchCheck } from "./watch_check.ts";
import { writableCheck } from "./writable_check.ts";

/** All of them, in the order they are told. */
export const CHECKS: readonly Check[] = [
  folderCheck,
  watchCheck,
  fileSystemCheck,
  renameCheck,
  afterCheck,
  namesCheck,
  untakenCheck,
  timeZoneCheck,
  checkpointsCheck,
  spaceCheck,
  embeddedCheck,
  databaseCheck,
  writableCheck,
  durabilityCheck,
  synchronousCommitCheck,
  clockCheck,
  connectionsCheck,
  serverLogCheck,
  ledgerCheck,
  grantsCheck,
  tableCheck,
  pipelineCheck,
  journalCheck,
];
