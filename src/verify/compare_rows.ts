import { type FatesOptions, readFates } from "./record_fates.ts";
import { RowsByLine } from "./rows_by_line.ts";
import type { VerifiedFile } from "./snapshot.ts";
import { Differences } from "./verify_report.ts";

/** Reads the file again, beside its rows in the order of lines, and names what differs. */
export async function compareRows(file: VerifiedFile, options: FatesOptions): Promise<void> {
  const rows = new RowsByLine(file.fileId, options);
  // what the ledger says was compared when the file was read first
  const fates = readFates(file, { ...options, differences: new Differences() });
  for await (const block of fates) {
    for (const fate of block) {
      if (fate.kind === "loaded" && !await rows.compare(fate)) rows.addMissing(fate);
    }
  }
  await rows.finish();
}
