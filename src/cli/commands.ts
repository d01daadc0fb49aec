import type { Command } from "./command.ts";
import { dbPsqlCommand } from "./db_psql.ts";
import { dbStartCommand } from "./db_start.ts";
import { dbStatusCommand } from "./db_status.ts";
import { dbStopCommand } from "./db_stop.ts";
import { dbUrlCommand } from "./db_url.ts";
import { demoCommand } from "./demo.ts";
import { generateCommand } from "./generate.ts";
import { ingestCommand } from "./ingest.ts";
import { setupCommand } from "./setup.ts";
import { statusCommand } from "./status.ts";
import { verifyCommand } from "./verify.ts";

/** Every command, in the order of help. Their modules load what is heavy only when they run. */
export const COMMANDS: readonly Command[] = [
  demoCommand,
  generateCommand,
  ingestCommand,
  statusCommand,
  verifyCommand,
  setupCommand,
  dbStartCommand,
  dbStopCommand,
  dbStatusCommand,
  dbUrlCommand,
  dbPsqlCommand,
];
