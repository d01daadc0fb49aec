import { COMMANDS } from "./src/cli/commands.ts";
import { runProcess } from "./src/cli/run_process.ts";

if (import.meta.main) await runProcess(Deno.args, COMMANDS);
