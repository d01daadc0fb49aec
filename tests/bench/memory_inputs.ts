/** What the ingester is given while its memory is watched. */
import { join } from "@std/path";
import { formatCount } from "../../src/cli/number_format.ts";
import { HEADER } from "../support/ingest_fixture.ts";
import type { BenchOptions } from "./bench_options.ts";
import { writeSmallFiles } from "./small_files.ts";

export interface MemoryInput {
  readonly name: string;
  /** A folder, or a file that comes by a pipe. */
  readonly source: { readonly directory: string } | { readonly pipedFile: string };
  /** That are to be in the table. */
  readonly rows: number;
}

/** As long as a record may be, less what the other fields and the quotes take. */
const LONG_NAME_BYTES = 1024 * 1024 - 1024;
/** Of a record that is rejected. */
const REJECT_BYTES = 4 * 1024;
/** So much is written at a time. */
const RECORDS_AT_ONCE = 100;

/** Each is made when it is asked for. */
export function memoryInputs(
  { quick, datasets, place }: BenchOptions,
): readonly (() => Promise<MemoryInput>)[] {
  const events = quick ? 100_000 : 2_000_000;
  const smallFiles = quick ? 1_000 : 100_000;
  const rejects = quick ? 2_000 : 50_000;
  const longRecords = quick ? 20 : 200;
  const ofDataset = async (options: { files: number; duplicatesPercent?: number }) => {
    const { name, directory, manifest } = await datasets.get({
      events,
      keys: "random",
      ...options,
    });
    return { name, source: { directory }, rows: manifest.valid };
  };
  return [
    () => ofDataset({ files: 100 }),
    () => ofDataset({ files: 1 }),
    async () => {
      const { files: [file], manifest } = await datasets.get({ events, files: 1, keys: "random" });
      const name = `${formatCount(events)} rows by a pipe`;
      return { name, source: { pipedFile: file! }, rows: manifest.valid };
    },
    async () => {
      const input = await ofDataset({ files: 100, duplicatesPercent: 10 });
      return { ...input, name: `${input.name}, 10 % repeated` };
    },
    async () => ({
      name: `${formatCount(rejects)} rejects of 4 KiB, and one row`,
      source: {
        directory: await oneFile(join(place.home, "rejects"), {
          records: rejects + 1,
          // a file of nothing but rejects is not read on
          record: (index) =>
            index === 0
              ? record({ index, name: "Lamp", price: "1" })
              : record({ index, name: "x".repeat(REJECT_BYTES), price: "-1" }),
        }),
      },
      rows: 1,
    }),
    async () => ({
      name: `${formatCount(longRecords)} rows of 1 MiB`,
      source: {
        directory: await oneFile(join(place.home, "long"), {
          records: longRecords,
          record: (index) => record({ index, name: "x".repeat(LONG_NAME_BYTES), price: "1" }),
        }),
      },
      rows: longRecords,
    }),
    async () => {
      const data = await datasets.get({ events: smallFiles, files: 1, keys: "random" });
      const directory = join(place.home, "small");
      await Deno.mkdir(directory);
      await writeSmallFiles(data, directory);
      return {
        name: `${formatCount(smallFiles)} files of one row`,
        source: { directory },
        rows: data.manifest.valid,
      };
    },
  ];
}

function record({ index, name, price }: { index: number; name: string; price: string }): string {
  const key = `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
  return `${key},2026-03-14T10:00:00Z,view,1,1,${name},Home,${price},1\n`;
}

async function oneFile(
  directory: string,
  { records, record }: { records: number; record: (index: number) => string },
): Promise<string> {
  await Deno.mkdir(directory);
  using file = await Deno.open(join(directory, "events.csv"), { write: true, createNew: true });
  const writer = file.writable.getWriter();
  const encoder = new TextEncoder();
  await writer.write(encoder.encode(`${HEADER}\n`));
  for (let from = 0; from < records; from += RECORDS_AT_ONCE) {
    const count = Math.min(RECORDS_AT_ONCE, records - from);
    const lines = Array.from({ length: count }, (_, index) => record(from + index));
    await writer.write(encoder.encode(lines.join("")));
  }
  await writer.close();
  return directory;
}
