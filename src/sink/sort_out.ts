/** What became of each row of a batch that did not simply enter the table, counted by file. */
import type { Batch, Reject, RowPlace, Segment } from "./batch.ts";
import type { RefusedRow, RepeatedRow } from "./staging.ts";

export interface DuplicateRecord {
  readonly fileId: number;
  readonly lineNumber: number;
  readonly startByte: number;
  readonly endByte: number;
  readonly key: string;
}

/** What a batch means for one file: loaded + rejected + duplicate are its records. */
export interface FileMove {
  readonly segment: Segment;
  readonly rejected: number;
  readonly duplicate: number;
  readonly loaded: number;
}

export interface SortedRows {
  readonly moves: readonly FileMove[];
  /** Those the batch came with, the key conflicts, and what the database refused. */
  readonly rejects: readonly Reject[];
  readonly duplicates: readonly DuplicateRecord[];
  /** Rows of the batch, 0-based, that did not enter the table. */
  readonly rowsOut: ReadonlySet<number>;
}

/** What the table did not take of a batch. */
export interface Outcome {
  readonly repeated: readonly RepeatedRow[];
  readonly refused: readonly RefusedRow[];
}

/** What a reject keeps of its record, in bytes; the rest is to be read in the file. */
const RAW_LIMIT_BYTES = 8 * 1024;
const NOT_FOUND = -1;

/** Tells duplicates from conflicts and refusals. */
export function sortOut(batch: Batch, { repeated, refused }: Outcome): SortedRows {
  const duplicates: DuplicateRecord[] = [];
  const rejects = [...batch.rejects];
  const counts = new Map<number, { duplicate: number; rejected: number }>();
  const countOf = (fileId: number) => {
    const count = counts.get(fileId) ?? { duplicate: 0, rejected: 0 };
    counts.set(fileId, count);
    return count;
  };
  const rowOf = rowFinder(batch, [...repeated, ...refused]);
  const rowsOut = new Set<number>();
  const placeOf = (name: RowName): RowPlace => {
    const row = rowOf(name);
    rowsOut.add(row);
    return batch.placeOf(row);
  };
  const refusedPlaces = new Set<string>();
  for (const row of refused) {
    refusedPlaces.add(placeName(row));
    countOf(row.fileId).rejected++;
    rejects.push(refusal(row, placeOf(row)));
  }
  for (const row of repeated) {
    if (refusedPlaces.has(placeName(row))) continue;
    const place = placeOf(row);
    if (row.sameContent === true) {
      countOf(row.fileId).duplicate++;
      const { fileId, lineNumber, startByte, endByte } = place;
      duplicates.push({ fileId, lineNumber, startByte, endByte, key: row.key });
    } else {
      countOf(row.fileId).rejected++;
      rejects.push(row.sameContent === null ? skipped(place) : keyConflict(row, place));
    }
  }
  const moves = batch.segments.map((segment) => {
    const { duplicate, rejected } = counts.get(segment.fileId) ?? { duplicate: 0, rejected: 0 };
    return {
      segment,
      loaded: segment.rowCount - duplicate - rejected,
      rejected: segment.rejectCount + rejected,
      duplicate,
    };
  });
  return { moves, rejects, duplicates, rowsOut };
}

type RowName = Pick<RepeatedRow, "fileId" | "lineNumber">;

function placeName({ fileId, lineNumber }: RowName): string {
  return `${fileId}:${lineNumber}`;
}

/** Finds the rows wanted in one pass over the batch. */
function rowFinder(batch: Batch, wanted: readonly RowName[]): (row: RowName) => number {
  const byFile = new Map<number, Map<number, number>>();
  for (const { fileId, lineNumber } of wanted) {
    const byLine = byFile.get(fileId);
    if (byLine === undefined) byFile.set(fileId, new Map([[lineNumber, NOT_FOUND]]));
    else byLine.set(lineNumber, NOT_FOUND);
  }
  for (let index = 0; byFile.size > 0 && index < batch.rowCount; index++) {
    const byLine = byFile.get(batch.fileIdOf(index));
    const lineNumber = batch.lineNumberOf(index);
    if (byLine?.has(lineNumber)) byLine.set(lineNumber, index);
  }
  return ({ fileId, lineNumber }) => {
    const index = byFile.get(fileId)?.get(lineNumber) ?? NOT_FOUND;
    if (index === NOT_FOUND) throw new Error(`line ${lineNumber} is not of this batch`);
    return index;
  };
}

function reject(
  { fileId, lineNumber, startByte, endByte, raw }: RowPlace,
  why: Pick<Reject, "columnName" | "code" | "reason" | "key">,
): Reject {
  return { fileId, lineNumber, startByte, endByte, raw: raw.slice(0, RAW_LIMIT_BYTES), ...why };
}

function keyConflict({ key, otherPath, otherLineNumber }: RepeatedRow, place: RowPlace): Reject {
  const where = otherPath === null
    ? "a row that was not loaded from a file"
    : `line ${otherLineNumber} of ${otherPath}`;
  return reject(place, {
    columnName: null,
    code: "key_conflict",
    reason: `key ${key} is that of ${where}, with other content`,
    key,
  });
}

function refusal({ state, message, columnName }: RefusedRow, place: RowPlace): Reject {
  return reject(place, {
    columnName,
    code: state,
    reason: `the database refused it: ${message}`,
    key: null,
  });
}

function skipped(place: RowPlace): Reject {
  return reject(place, {
    columnName: null,
    code: "row_skipped",
    reason: "the database took it without an error, and it is not in the table: a trigger of the " +
      "table keeps it out",
    key: null,
  });
}
