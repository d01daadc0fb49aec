import { KeyLookups } from "./key_lookups.ts";
import { readCommitted } from "./read_committed.ts";
import type { FatesOptions } from "./record_fates.ts";
import { RowsByLine } from "./rows_by_line.ts";
import type { VerifiedFile } from "./snapshot.ts";
import type { FileResult } from "./verify_file.ts";

/**
 * A file whose duplicates, and the rejects that were discarded, are no longer kept one by one. What
 * became of a record of which the ledger keeps no word is told from the table: it has a row of this
 * file on its line, or it has none and was a duplicate or a reject. What still must hold:
 *
 * - every row of the file is on the line of a record, and equals it; there are `loaded` of them;
 * - the records without a row are as many as the ledger's rejects and duplicates together;
 * - at least as many of them as the ledger's duplicates are in the table, with the same content.
 *   It may be more: what the database once refused can have come in with another file since.
 *
 * What is still kept one by one is compared as in any file.
 */
export async function compareExpired(
  file: VerifiedFile,
  options: FatesOptions,
): Promise<FileResult> {
  const { differences } = options;
  const rows = new RowsByLine(file.fileId, options);
  const lookups = new KeyLookups(options);
  const kept = { rejected: 0, duplicate: 0 };
  let loaded = 0;
  let invalid = 0;
  const fates = readCommitted(file, options);
  let step = await fates.next();
  for (; !step.done; step = await fates.next()) {
    for (const fate of step.value) {
      switch (fate.kind) {
        case "loaded":
          loaded++;
          if (!await rows.compare(fate)) rows.addMissing(fate);
          break;
        case "rejected":
          kept.rejected++;
          if (fate.texts !== null) lookups.addReject(fate.reject, fate.texts);
          break;
        case "duplicate":
          kept.duplicate++;
          if (fate.texts !== null) lookups.addDuplicate(fate, fate.texts);
          break;
        case "unkept": {
          const { lineNumber, texts } = fate;
          if (texts === null) invalid++;
          else if (await rows.compare({ lineNumber, texts })) loaded++;
          else lookups.addUnkept({ lineNumber, texts });
        }
      }
    }
    await lookups.flushFull();
  }
  await lookups.flush();
  await rows.finish();
  const { unkept } = lookups;
  differences.addCount("loaded in the ledger", { expected: loaded, found: file.loaded });
  differences.addCount("rejected or duplicate in the ledger", {
    expected: kept.rejected + kept.duplicate + invalid + unkept.duplicate + unkept.other,
    found: file.rejected + file.duplicate,
  });
  const { rejected, duplicate } = file;
  const most = kept.duplicate + unkept.duplicate;
  if (duplicate < kept.duplicate) {
    differences.addFact({
      expected: `at least ${kept.duplicate} duplicates in the ledger, which keeps so many`,
      found: String(duplicate),
    });
  } else if (duplicate > most) {
    differences.addFact({
      expected: `at most ${most} duplicates in the ledger, for no more of the records without a ` +
        "row are in the table",
      found: String(duplicate),
    });
  }
  return { counts: { loaded, rejected, duplicate }, reason: step.value };
}
