/**
 * The embedded server's files inside the compiled executable.
 *
 * Deno reads all that `deno compile` embeds into memory when the program starts, and keeps it there:
 * 60 MB for a server that is unpacked once. So the server lies in the executable by itself:
 *
 *     Deno's runtime | the files | index | size of the index, `pgsluice` | what Deno embeds, its size
 *
 * Deno finds its part from the end, and passes over what comes before. Sizes are 8 bytes,
 * little-endian; the index is JSON. Nothing is compressed: packages of the executable are, and the
 * first start does not wait for it.
 */
import type { ServerFile, ServerFiles } from "./server_files.ts";

/** A file's bytes begin where those of the one before it end. */
interface Index {
  readonly version: string;
  readonly files: readonly (
    | { readonly path: string; readonly sizeBytes: number }
    | { readonly path: string; readonly linkTarget: string }
  )[];
}

const MAGIC = new TextEncoder().encode("pgsluice");
const FOOTER_BYTES = 8 + MAGIC.length;
/** Deno's part begins with this. */
const DENO_MAGIC = new TextEncoder().encode("d3n0l4nd");
/** And ends with its size, counted from that beginning. */
const DENO_SIZE_BYTES = 8;

/** @returns Null if the file holds no server. */
export async function openServerArchive(executable: string): Promise<ServerFiles | null> {
  using file = await Deno.open(executable);
  const denoStart = denoStartByte(
    (await file.stat()).size,
    (startByte, sizeBytes) => readAt(file, { startByte, sizeBytes }),
  );
  if (denoStart === null || denoStart < FOOTER_BYTES) return null;
  const footerStart = denoStart - FOOTER_BYTES;
  const footer = readAt(file, { startByte: footerStart, sizeBytes: FOOTER_BYTES });
  if (!startsWith(footer.subarray(8), MAGIC)) return null;
  const indexBytes = readSize(footer);
  const indexStart = footerStart - indexBytes;
  const index: Index = JSON.parse(
    new TextDecoder().decode(readAt(file, { startByte: indexStart, sizeBytes: indexBytes })),
  );
  return { version: index.version, files: () => storedFiles(executable, { index, indexStart }) };
}

/**
 * Puts the server into an executable that `deno compile` has made.
 *
 * @returns The whole of the new one.
 * @throws if the layout is not the one described above
 */
export async function withServerArchive(
  executable: Uint8Array<ArrayBuffer>,
  server: ServerFiles,
): Promise<Blob> {
  const denoStart = denoStartByte(
    executable.length,
    (startByte, sizeBytes) => executable.subarray(startByte, startByte + sizeBytes),
  );
  if (denoStart === null) {
    throw new Error("`deno compile` no longer makes executables of the layout that is known here");
  }
  const stored: Uint8Array<ArrayBuffer>[] = [];
  const files: Index["files"][number][] = [];
  for await (const file of server.files()) {
    if ("linkTarget" in file) {
      files.push(file);
      continue;
    }
    stored.push(file.bytes);
    files.push({ path: file.path, sizeBytes: file.bytes.length });
  }
  const index: Index = { version: server.version, files };
  const indexBytes = new TextEncoder().encode(JSON.stringify(index));
  const size = new DataView(new ArrayBuffer(8));
  size.setBigUint64(0, BigInt(indexBytes.length), true);
  return new Blob([
    executable.subarray(0, denoStart),
    ...stored,
    indexBytes,
    size,
    MAGIC,
    executable.subarray(denoStart),
  ]);
}

async function* storedFiles(
  executable: string,
  { index, indexStart }: { index: Index; indexStart: number },
): AsyncGenerator<ServerFile> {
  using file = await Deno.open(executable);
  let startByte = index.files.reduce(
    (start, each) => start - ("linkTarget" in each ? 0 : each.sizeBytes),
    indexStart,
  );
  for (const each of index.files) {
    if ("linkTarget" in each) {
      yield each;
      continue;
    }
    const { path, sizeBytes } = each;
    yield { path, bytes: readAt(file, { startByte, sizeBytes }) };
    startByte += sizeBytes;
  }
}

/** Where Deno's part begins; null if there is none. */
function denoStartByte(
  totalBytes: number,
  read: (startByte: number, sizeBytes: number) => Uint8Array,
): number | null {
  if (totalBytes < DENO_SIZE_BYTES) return null;
  const startByte = totalBytes - readSize(read(totalBytes - DENO_SIZE_BYTES, DENO_SIZE_BYTES));
  if (startByte < 0 || startByte + DENO_MAGIC.length > totalBytes) return null;
  return startsWith(read(startByte, DENO_MAGIC.length), DENO_MAGIC) ? startByte : null;
}

function readAt(
  file: Deno.FsFile,
  { startByte, sizeBytes }: { startByte: number; sizeBytes: number },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  file.seekSync(startByte, Deno.SeekMode.Start);
  for (let filled = 0; filled < sizeBytes;) {
    const count = file.readSync(bytes.subarray(filled));
    if (count === null) throw new Error("the executable ends within the embedded server");
    filled += count;
  }
  return bytes;
}

function readSize(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
}

function startsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return beginning.every((byte, index) => bytes[index] === byte);
}
