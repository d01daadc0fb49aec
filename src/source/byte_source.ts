/** What a source's bytes are read from: a file by its path, or a stream that remembers. */
export interface ByteSource {
  /**
   * Reads from `atByte` on into `into`, which is not empty.
   * @returns how many bytes; 0 at the end, which for a file is where it ends now.
   */
  read(atByte: number, into: Uint8Array): Promise<number>;
  close(): void;
}

/** What a look at a file tells about it. */
export interface FileStat {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly inode: number | null;
}

export function fileStat(info: Deno.FileInfo): FileStat {
  return {
    sizeBytes: info.size,
    modifiedMs: info.mtime?.getTime() ?? 0,
    inode: info.ino,
  };
}

/** @throws what Deno.open throws; the file is open until `close()`. */
export async function openFile(path: string): Promise<ByteSource & { stat(): Promise<FileStat> }> {
  const file = await Deno.open(path, { read: true });
  let position = 0;
  return {
    async stat(): Promise<FileStat> {
      return fileStat(await file.stat());
    },
    async read(atByte: number, into: Uint8Array): Promise<number> {
      // it does not wait for the disk
      if (atByte !== position) position = file.seekSync(atByte, Deno.SeekMode.Start);
      const byteCount = await file.read(into) ?? 0;
      position += byteCount;
      return byteCount;
    },
    close(): void {
      file.close();
    },
  };
}
