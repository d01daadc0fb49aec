import { dirname, fromFileUrl, join } from "@std/path";
import type { Build } from "../version.ts";

/** The project's top folder, without a trailing slash. */
export const PROJECT = fromFileUrl(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

/** Where the server's archive lies among the sources, if it is to be embedded with them. */
export const EMBEDDED_SERVER_NAME = "embedded_server";

/** What an executable is made of. */
const PARTS = ["main.ts", "deno.json", ".deno/deno.lock", "src", "sql"];

/** What is not the program. */
const LEFT_OUT = join(PROJECT, "src/compile");

/**
 * Copies the program's sources, so that what was built can be written into them while the project
 * stays as it is.
 *
 * @param directory Made by this.
 */
export async function stageSource(directory: string, build: Build): Promise<void> {
  for (const part of PARTS) await copy(join(PROJECT, part), join(directory, part));
  await Deno.writeTextFile(join(directory, "src/build.json"), JSON.stringify(build));
}

async function copy(from: string, to: string): Promise<void> {
  if (from === LEFT_OUT) return;
  await Deno.mkdir(dirname(to), { recursive: true });
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}
