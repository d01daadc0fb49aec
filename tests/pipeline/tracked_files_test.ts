import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { journalFile, type TrackedFile } from "../../src/pipeline/tracked_file.ts";
import { TrackedFiles } from "../../src/pipeline/tracked_files.ts";

function trackedFile(path: string, change: Partial<TrackedFile> = {}): TrackedFile {
  return {
    path,
    fileId: 7,
    generation: 2,
    revision: 3,
    state: "done",
    stat: { sizeBytes: 2 ** 40, modifiedMs: 1_700_000_000_123, inode: 2 ** 33 },
    committedByte: 2 ** 40,
    committedLine: 11,
    readByte: 2 ** 40,
    readLine: 11,
    provisionalFromByte: null,
    loaded: 8,
    rejected: 1,
    duplicate: 1,
    reason: null,
    archivedPath: null,
    isArchived: false,
    isDeleted: false,
    contentMark: 12_345,
    digests: null,
    ...change,
  };
}

/** Everything about the file that the ledger says, in each form it may take. */
const FORMS: readonly [string, Partial<TrackedFile>][] = [
  ["plain", {}],
  ["never looked at", { state: "undone", stat: null, contentMark: null }],
  ["without an inode", { stat: { sizeBytes: 5, modifiedMs: 0, inode: null } }],
  ["provisional", { provisionalFromByte: 100 }],
  ["with a reason", { state: "failed", reason: "not_csv: it is not" }],
  ["archived", { archivedPath: "/old/a.csv", isArchived: true }],
  ["deleted", { isDeleted: true }],
];

Deno.test("a file at rest is the same after it was packed", () => {
  const files = new TrackedFiles();
  for (const [path, change] of FORMS) {
    files.set(path, trackedFile(path, change));
    files.release(path);
  }
  files.pack();
  const expected = FORMS.map(([path, change]) => trackedFile(path, change));
  assertEquals([...files.places.values()], expected.map(journalFile));
  assertEquals(FORMS.map(([path]) => files.places.get(path)), expected.map(journalFile));
  assertEquals(FORMS.map(([path]) => files.peek(path)), expected);
  assertEquals(FORMS.map(([path]) => files.get(path)), expected, "and to be changed");
  assertEquals(files.size, FORMS.length);
});

Deno.test("a place that a packed file had is another's, with nothing of the first", () => {
  const files = new TrackedFiles();
  files.set("a", trackedFile("a", { reason: "why", archivedPath: "/old/a" }));
  files.release("a");
  files.pack();
  files.get("a"); // unpacked, its place is free
  files.set("b", trackedFile("b"));
  files.release("b");
  files.pack();
  assertEquals(files.peek("b"), trackedFile("b"));
  assertEquals(files.peek("a")?.reason, "why");
});

Deno.test("a file that something is under way with stays one object", () => {
  const files = new TrackedFiles();
  const inBatch = trackedFile("batch", { readByte: 2 ** 40 + 1 });
  const open = trackedFile("open", { state: "open" });
  const held = trackedFile("not released");
  for (const file of [inBatch, open, held]) files.set(file.path, file);
  files.release("batch");
  files.release("open");
  files.pack();
  for (const file of [inBatch, open, held]) assertStrictEquals(files.get(file.path), file);
  // its batch commits
  inBatch.committedByte = inBatch.readByte;
  files.release("batch");
  files.pack();
  const unpacked = files.get("batch");
  assert(unpacked !== inBatch);
  assertEquals(unpacked, { ...inBatch, readLine: inBatch.committedLine });
  assertStrictEquals(files.get("batch"), unpacked, "and is one again from then on");
});

Deno.test("what was put away is not here, packed or not", () => {
  const files = new TrackedFiles();
  files.set("here", trackedFile("here"));
  files.set("archived", trackedFile("archived", { archivedPath: "/old/x", isArchived: true }));
  files.set("deleted", trackedFile("deleted", { isDeleted: true }));
  const places = () =>
    ["here", "archived", "deleted", "unknown"].map((path) => files.pathHere(path));
  const expected = ["here", null, null, null];
  assertEquals(places(), expected);
  for (const path of ["here", "archived", "deleted"]) files.release(path);
  files.pack();
  assertEquals(places(), expected);
  assertEquals([...files.putAwayPaths()], ["archived", "deleted"]);
});
