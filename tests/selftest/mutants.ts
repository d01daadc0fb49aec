/** Defects that somebody might bring into the program, each of which the self-test must notice. */
import type { Campaign } from "../../src/selftest/campaign.ts";

export interface Mutant {
  readonly name: string;
  /** What notices it, and what it then says. */
  readonly campaign: Campaign;
  readonly notice: RegExp;
  readonly edits: readonly Edit[];
}

/** In the file, `from` must be there exactly once. */
export interface Edit {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

const SESSION = "src/pipeline/ingest_session.ts";
const SINK = "src/sink/batch_sink.ts";
const MOVE = "src/sink/move_files.ts";

/** What a session knew when it ended, for the sessions after it, by the ingest they belong to. */
const KEPT_FILES: Edit = {
  path: SESSION,
  from: "export async function runSession(",
  to: "const KEPT = new WeakMap<object, TrackedFiles>();\nexport async function runSession(",
};

function filesOfSession(to: string): Edit {
  return {
    path: SESSION,
    from: `const files = new TrackedFiles();
  await eachFile(sql, { pipelineId, take: (file) => files.add(file) });`,
    to: `const kept = KEPT.get(context.journal);
  ${to}
  KEPT.set(context.journal, files);`,
  };
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "the journal is written before the commit",
    campaign: "kills",
    notice: /the journal is ahead of the ledger/,
    edits: [{
      path: "src/pipeline/session_work.ts",
      from: "offer: (batch) => this.#offer(batch),",
      to: `offer: (batch) => {
        context.journal.append(batch.segments.map((segment) => ({
          ...segment,
          committedByte: segment.endByte,
          committedLine: segment.endLine,
        })));
        return this.#offer(batch);
      },`,
    }],
  },
  {
    name: "the compare of compare-and-set is dropped",
    campaign: "batches",
    notice: /a batch was loaded, expected refused: it was committed before/,
    edits: [{
      path: MOVE,
      from: `
        and f.committed_byte = m.start_byte
        and f.revision = m.revision`,
      to: "",
    }],
  },
  {
    name: "the ledger moves in a transaction of its own",
    campaign: "batches",
    notice: /a batch failed at .*, and left \d+ rows in the table, \d+ in the ledger/,
    edits: [
      {
        path: SINK,
        from: "const probe = this.#probe;",
        to: "const probe = this.#probe;\n    let later: any;",
      },
      {
        path: SINK,
        from: "await moveFiles(transaction, move);",
        to: "later = move;",
      },
      {
        path: SINK,
        from: 'probe("sink.committed");',
        to: `probe("sink.committed");
      await this.#client.sql.begin((second) => moveFiles(second, later));`,
      },
    ],
  },
  {
    name: "a retry goes on without reading the ledger again",
    campaign: "outages",
    notice: /commits lost: not everything was loaded/,
    edits: [
      KEPT_FILES,
      filesOfSession(`const files = kept ?? new TrackedFiles();
  if (kept === undefined) await eachFile(sql, { pipelineId, take: (file) => files.add(file) });`),
    ],
  },
  {
    name: "a provisional tail is not taken back",
    campaign: "faults",
    notice: /verify: tail.csv is differs/,
    edits: [{
      path: "src/pipeline/file_visitor.ts",
      from: "if (file.provisionalFromByte !== null && sizeBytes > file.readByte) {",
      to: "if (file.provisionalFromByte === -1) {",
    }],
  },
  {
    name: "on conflict names no key",
    campaign: "faults",
    notice: /rejects with code 23505: expected \d+, found 0/,
    edits: [{
      path: "src/sink/staging.ts",
      from: "on conflict (${key}) do nothing`;",
      to: "on conflict do nothing`;",
    }],
  },
  {
    name: "the epoch is not checked",
    campaign: "batches",
    notice: /a batch was loaded, expected refused: its epoch has passed/,
    edits: [{
      path: MOVE,
      from: "and epoch = coalesce(${batch.epoch}::bigint, epoch)",
      to: "",
    }],
  },
  {
    name: "a reconnect trusts the files that were done",
    campaign: "outages",
    notice: /commits lost: not everything was loaded/,
    edits: [
      KEPT_FILES,
      filesOfSession(`const files = new TrackedFiles();
  const take = (file: any) => {
    const before = kept?.peek(file.path);
    if (before?.state === "done") files.set(file.path, { ...before });
    else files.add(file);
  };
  await eachFile(sql, { pipelineId, take });`),
    ],
  },
];
