/** Python with PySpark, and the JDBC driver, installed once into the user's cache. */
import { fromFileUrl, join } from "@std/path";
import { whyNotInstalled } from "./why_not_installed.ts";

export interface PysparkEnvironment {
  /** The virtual environment's Python. */
  readonly python: string;
  /** The jar of the JDBC driver. */
  readonly driver: string;
}

const REQUIREMENTS = fromFileUrl(new URL("pyspark/requirements.txt", import.meta.url));
const DRIVER = { group: "org.postgresql", name: "postgresql", version: "42.7.7" } as const;
/** Nobody waits for a registry that cannot be reached. */
const INSTALL_TIMEOUT_MS = 5 * 60_000;
const PIP_OPTIONS = ["--quiet", "--retries=1", "--timeout=20"];

/** @returns the environment, or a sentence that says what cannot be had here. */
export async function pysparkEnvironment(
  say: (text: string) => void,
): Promise<PysparkEnvironment | string> {
  for (const [program, argument] of [["java", "-version"], ["python3", "--version"]] as const) {
    const why = await whyNotInstalled(program, [argument]);
    if (why !== null) return why;
  }
  const requirements = (await Deno.readTextFile(REQUIREMENTS)).trim();
  const directory = join(
    cacheDirectory(),
    "pgsluice-bench",
    `${requirements.replaceAll(/[^\w.=]+/g, "+")}-jdbc-${DRIVER.version}`,
  );
  const environment = {
    python: join(directory, "bin", "python"),
    driver: join(directory, `${DRIVER.name}-${DRIVER.version}.jar`),
  };
  const complete = join(directory, "complete");
  if (await Deno.stat(complete).then(() => true, () => false)) return environment;
  say(`installing PySpark and the JDBC driver into ${directory}`);
  const steps = [
    ["python3", "-m", "venv", "--clear", directory],
    [environment.python, "-m", "pip", "install", ...PIP_OPTIONS, "-r", REQUIREMENTS],
    [
      "mvn",
      "--quiet",
      "--batch-mode",
      "dependency:copy",
      `-Dartifact=${DRIVER.group}:${DRIVER.name}:${DRIVER.version}`,
      `-DoutputDirectory=${directory}`,
    ],
  ];
  for (const [program = "", ...args] of steps) {
    const why = await whyFailed(program, args);
    if (why !== null) return why;
  }
  await Deno.writeTextFile(complete, "");
  return environment;
}

async function whyFailed(program: string, args: readonly string[]): Promise<string | null> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      signal: AbortSignal.timeout(INSTALL_TIMEOUT_MS),
    }).output();
    if (success) return null;
    const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
    return `${program} failed: ${said.trim().split("\n").at(-1)}`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `${program} is not on PATH`;
  }
}

function cacheDirectory(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME");
  return cache?.startsWith("/") ? cache : join(Deno.env.get("HOME") ?? "/tmp", ".cache");
}
