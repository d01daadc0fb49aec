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
 *
 * macOS's executables have a signature that covers all of them, which Deno makes. There the archive
 * (files, index, footer) is a file of its own among those that Deno embeds, where it is mapped, not
 * read.
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

/**
 * @param path Of an executable, or of an archive by itself.
 * @returns Null if the file holds no server, or does not exist.
 */
export async function openServerArchive(path: string | URL): Promise<ServerFiles | null> {
  using file = await Deno.open(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (file === null) return null;
  // not `stat`, which files that Deno embeds do not have
  const totalBytes = file.seekSync(0, Deno.SeekMode.End);
  const read = (startByte: number, sizeBytes: number) => readAt(file, { startByte, sizeBytes });
  const footerStart = (denoStartByte(totalBytes, read) ?? totalBytes) - FOOTER_BYTES;
  if (footerStart < 0) return null;
  const footer = readAt(file, { startByte: footerStart, sizeBytes: FOOTER_BYTES });
  if (!startsWith(footer.subarray(8), MAGIC)) return null;
  const indexBytes = readSize(footer);
  const indexStart = footerStart - indexBytes;
  const index: Index = JSON.parse(
    new TextDecoder().decode(readAt(file, { startByte: indexStart, sizeBytes: indexBytes })),
  );
  return { version: index.version, files: () => storedFiles(path, { index, indexStart }) };
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
  return new Blob([
    executable.subarray(0, denoStart),
    ...await archiveParts(server),
    executable.subarray(denoStart),
  ]);
}

/** The archive by itself. */
export async function serverArchive(server: ServerFiles): Promise<Blob> {
  return new Blob(await archiveParts(server));
}

async function archiveParts(server: ServerFiles): Promise<Uint8Array<ArrayBuffer>[]> {
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
  return [...stored, indexBytes, new Uint8Array(size.buffer), MAGIC];
}

async function* storedFiles(
  path: string | URL,
  { index, indexStart }: { index: Index; indexStart: number },
): AsyncGenerator<ServerFile> {
  using file = await Deno.open(path);
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
