import { openServerArchive } from "../database/server_archive.ts";

/**
 * No executable for Linux may be larger, in bytes. 99 MB are Deno's runtime, 57 MB the server, and
 * 4 MB the program, for which this leaves room, but not for a second copy of anything.
 */
export const LINUX_BUDGET_BYTES = 165_000_000;

/** A part of an executable. */
export interface ExecutablePart {
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * What an executable for Linux consists of, in the order of the file.
 *
 * @throws if it holds no server, or is of an unknown layout.
 */
export async function executableParts(path: string): Promise<ExecutablePart[]> {
  const server = await openServerArchive(path);
  if (server === null) throw new Error(`${path} holds no server`);
  const folders = new Map<string, number>();
  for await (const file of server.files()) {
    if ("linkTarget" in file) continue;
    const folder = serverPart(file.path);
    folders.set(folder, (folders.get(folder) ?? 0) + file.bytes.length);
  }
  const { totalBytes, programBytes } = await ends(path);
  const serverParts = [...folders].map(([name, sizeBytes]) => ({
    name: `PostgreSQL ${server.version}: ${name}`,
    sizeBytes,
  }));
  const serverBytes = serverParts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return [
    // the server's index, some 50 kB, counts here
    { name: "Deno's runtime", sizeBytes: totalBytes - programBytes - serverBytes },
    ...serverParts,
    { name: "pgsluice and its npm packages", sizeBytes: programBytes },
  ];
}

/** A table, and the sum against the budget. */
export function sizeText(parts: readonly ExecutablePart[], budgetBytes: number): string {
  const rows = parts.map(({ name, sizeBytes }) => `${megabytes(sizeBytes)}  ${name}\n`);
  const total = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return `${rows.join("")}${megabytes(total)}  in all, of ${
    megabytes(budgetBytes).trim()
  } at most\n`;
}

function megabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e6).toFixed(1).padStart(6)} MB`;
}

function serverPart(path: string): string {
  if (/^lib\/libicu/.test(path)) return "ICU";
  if (path.startsWith("lib/postgresql/")) return "lib/postgresql (extensions, encodings)";
  const [folder = "", , subFolder = ""] = path.split("/");
  if (folder === "lib") return "other libraries";
  if (folder !== "share") return folder;
  return /^timezone$|^extension$/.test(subFolder) ? `share/${subFolder}` : "share, the rest";
}

async function ends(path: string): Promise<{ totalBytes: number; programBytes: number }> {
  using file = await Deno.open(path);
  const totalBytes = (await file.stat()).size;
  const size = new Uint8Array(8);
  await file.seek(-8, Deno.SeekMode.End);
  await file.read(size);
  return { totalBytes, programBytes: Number(new DataView(size.buffer).getBigUint64(0, true)) };
}
