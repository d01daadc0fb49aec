import { statfs } from "node:fs/promises";

/** What is asked of the machine, so that tests can stand in for others. */
export interface Machine {
  /** Epoch milliseconds, by this machine's clock. */
  now(): number;
  /** The file system that a path is on. */
  space(path: string): Promise<{ readonly freeBytes: number; readonly sizeBytes: number }>;
  /** A file of `/proc`; null where it cannot be read, as on another system than Linux. */
  readProc(path: string): Promise<string | null>;
  /** A program that lists names as they are, as `find` does. */
  readonly findProgram: string;
}

export const thisMachine: Machine = {
  now: () => Date.now(),
  async space(path) {
    const { bavail, blocks, bsize } = await statfs(path);
    return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
  },
  readProc: (path) => Deno.readTextFile(path).catch(() => null),
  findProgram: "find",
};
