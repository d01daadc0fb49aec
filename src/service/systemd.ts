import { PgsluiceError } from "../pgsluice_error.ts";

/** The tools of the systemd that runs. */
export interface Systemd {
  /**
   * @returns what it wrote to standard output
   * @throws {PgsluiceError} `systemd-tool`
   */
  run(program: "systemctl" | "systemd-sysusers", args: readonly string[]): Promise<string>;
}

/** @throws {PgsluiceError} `no-systemd` */
export async function runningSystemd(): Promise<Systemd> {
  // as sd_booted(3) has it
  const isBooted = await Deno.lstat("/run/systemd/system").then(() => true, () => false);
  if (!isBooted) {
    throw new PgsluiceError("no-systemd", "this machine does not run systemd", {
      hint: "run `pgsluice ingest` under what supervises processes here; " +
        "`pgsluice service print` shows the unit",
    });
  }
  return { run };
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const line = [program, ...args].join(" ");
  let ended: Deno.CommandOutput;
  try {
    ended = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
  } catch (error) {
    throw toolError(`cannot run ${line}: ${(error as Error).message}`, error);
  }
  const decoder = new TextDecoder();
  if (ended.success) return decoder.decode(ended.stdout);
  const said = decoder.decode(ended.stderr).trim();
  throw toolError(`${line} ended with ${ended.code}${said === "" ? "" : `: ${said}`}`);
}

function toolError(message: string, cause?: unknown): PgsluiceError {
  return new PgsluiceError("systemd-tool", message, {
    hint: "run that command by itself, mend what it names, then run this one again",
    cause,
  });
}
