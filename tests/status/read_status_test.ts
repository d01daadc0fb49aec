import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Sql } from "../../src/database/connect.ts";
import { hostId } from "../../src/source/host_id.ts";
import { ownerLockKeySql } from "../../src/sink/pipeline_owner.ts";
import { readStatus } from "../../src/status/read_status.ts";
import { testDatabase } from "../support/test_database.ts";

async function insertPipeline(
  sql: Sql,
  facts: { name?: string; host?: string; kind?: string; path: string },
): Promise<void> {
  const { name = "default", host = await hostId(), kind = "folder", path } = facts;
  await sql`
    insert into pgsluice.pipelines (
      name, source_kind, source_host, source_path, target_table, key_column, time_zone,
      schema_fingerprint, dialect, max_record_bytes
    ) values (
      ${name}, ${kind}, ${host}, ${path}, 'user_events', 'event_id', 'UTC', 'f', 'd', 1048576
    )`;
}

interface LedgerFile {
  path: string;
  state: string;
  generation?: number;
  committed?: number;
  loaded?: number;
  rejected?: number;
  duplicate?: number;
  reason?: string;
}

async function insertFiles(sql: Sql, files: readonly LedgerFile[]): Promise<void> {
  for (const file of files) {
    await sql`
      insert into pgsluice.files (
        pipeline_id, path, generation, state, reason, committed_byte, loaded, rejected, duplicate,
        time_zone, schema_fingerprint, dialect, max_record_bytes
      ) values (
        1, ${file.path}, ${file.generation ?? 1}, ${file.state}, ${file.reason ?? null},
        ${file.committed ?? 0}, ${file.loaded ?? 0}, ${file.rejected ?? 0}, ${
      file.duplicate ?? 0
    }, 'UTC', 'f', 'd', 1048576
      )`;
  }
}

async function insertBatch(
  sql: Sql,
  batch: { loaded: number; bytes: number; secondsAgo: number; elapsedMs: number },
): Promise<void> {
  await sql`
    insert into pgsluice.batches (
      pipeline_id, epoch, files, bytes, loaded, rejected, duplicate, route, elapsed_ms, copy_ms,
      committed_at
    ) values (
      1, 1, 1, ${batch.bytes}, ${batch.loaded}, 0, 0, 'copy', ${batch.elapsedMs}, 1,
      clock_timestamp() - make_interval(secs => ${batch.secondsAgo})
    )`;
}

async function withFolder(
  files: Record<string, { sizeBytes: number; modifiedMs: number }>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, { sizeBytes, modifiedMs }] of Object.entries(files)) {
      const path = join(folder, name);
      await Deno.writeFile(path, new Uint8Array(sizeBytes));
      await Deno.utime(path, modifiedMs / 1000, modifiedMs / 1000);
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("status tells of a database without a ledger that it has none", async () => {
  await using database = await testDatabase();
  assertEquals(await readStatus(database.sql), null);
});

Deno.test("status adds up what is committed, and finds the backlog in the folder", async () => {
  await using database = await testDatabase({ setUp: true });
  const { sql } = database;
  const old = Date.UTC(2026, 0, 1);
  await withFolder({
    "done.csv": { sizeBytes: 100, modifiedMs: old },
    "open.csv": { sizeBytes: 500, modifiedMs: old + 3_000 },
    "failed.csv": { sizeBytes: 70, modifiedMs: old + 1_000 },
    "same.csv": { sizeBytes: 100, modifiedMs: old + 1_000 },
    "new.csv": { sizeBytes: 40, modifiedMs: old + 2_000 },
    ".hidden.csv": { sizeBytes: 40, modifiedMs: old },
    "notes.txt": { sizeBytes: 40, modifiedMs: old },
  }, async (folder) => {
    await insertPipeline(sql, { path: folder });
    await insertFiles(sql, [
      { path: "done.csv", state: "done", committed: 100, loaded: 9, rejected: 1 },
      { path: "open.csv", state: "superseded", committed: 300, loaded: 3 },
      { path: "open.csv", state: "open", generation: 2, committed: 200, loaded: 2, duplicate: 3 },
      { path: "failed.csv", state: "failed", reason: "not_csv: no header" },
      { path: "same.csv", state: "same", reason: "same as done.csv" },
      { path: "gone.csv", state: "done", committed: 50, loaded: 5 },
    ]);
    const report = await readStatus(sql);
    const [pipeline] = report!.pipelines;
    assertEquals({
      committedBytes: pipeline!.committedBytes,
      loaded: pipeline!.loaded,
      rejected: pipeline!.rejected,
      duplicate: pipeline!.duplicate,
      filesByState: pipeline!.filesByState,
      backlog: pipeline!.backlog,
      backlogUnknown: pipeline!.backlogUnknown,
      hasOwner: pipeline!.hasOwner,
      lastBatchAtMs: pipeline!.lastBatchAtMs,
      lastMinute: pipeline!.lastMinute,
      recentBatches: pipeline!.recentBatches,
    }, {
      committedBytes: 650,
      loaded: 19,
      rejected: 1,
      duplicate: 3,
      filesByState: {
        open: 1,
        done: 2,
        failed: 1,
        held: 0,
        same: 1,
        superseded: 1,
        undone: 0,
        skipped: 0,
      },
      backlog: { files: 2, sizeBytes: 340, oldestChangeMs: old + 2_000 },
      backlogUnknown: null,
      hasOwner: false,
      lastBatchAtMs: null,
      lastMinute: null,
      recentBatches: null,
    });
    assertEquals(
      pipeline!.files.map((file) => [file.path, file.state, file.backlogBytes, file.reason]),
      [
        ["failed.csv", "failed", 0, "not_csv: no header"],
        ["open.csv", "open", 300, null],
        ["new.csv", "new", 40, null],
        ["done.csv", "done", 0, null],
        ["gone.csv", "done", null, null],
        ["same.csv", "same", 0, "same as done.csv"],
      ],
    );
  });
});

Deno.test("status sees whether an ingester holds the pipeline", async () => {
  await using database = await testDatabase({ setUp: true });
  const { sql } = database;
  await insertPipeline(sql, { path: "/nowhere", name: "held" });
  await insertPipeline(sql, { path: "/nowhere", name: "free" });
  const owners = async () =>
    (await readStatus(sql))!.pipelines.map(({ name, hasOwner }) => [name, hasOwner]);
  await sql.begin(async (transaction) => {
    await transaction.unsafe(`select pg_advisory_xact_lock(${ownerLockKeySql("'held'")})`);
    assertEquals(await owners(), [["free", false], ["held", true]]);
  });
  assertEquals(await owners(), [["free", false], ["held", false]]);
});

Deno.test("status averages the batches of the last minute", async () => {
  await using database = await testDatabase({ setUp: true });
  const { sql } = database;
  await insertPipeline(sql, { path: "/nowhere" });
  await insertBatch(sql, { loaded: 1_000_000, bytes: 1e9, secondsAgo: 3_600, elapsedMs: 100 });
  const idle = (await readStatus(sql))!.pipelines[0]!;
  assertEquals(idle.lastMinute, null);
  assert(idle.lastBatchAtMs !== null);

  await insertBatch(sql, { loaded: 1_000, bytes: 100_000, secondsAgo: 0, elapsedMs: 500 });
  // of half a second's work a second is thought, so that one small batch is no rate
  const first = (await readStatus(sql))!.pipelines[0]!.lastMinute!;
  assert(first.recordsPerSecond <= 1_000, `${first.recordsPerSecond}`);

  await insertBatch(sql, { loaded: 5_000, bytes: 500_000, secondsAgo: 20, elapsedMs: 10_000 });
  const busy = (await readStatus(sql))!.pipelines[0]!.lastMinute!;
  // 6,000 records in 30 s, or more when the machine was slow
  assert(busy.recordsPerSecond <= 200 && busy.recordsPerSecond >= 100, `${busy.recordsPerSecond}`);
  assert(busy.bytesPerSecond <= 20_000 && busy.bytesPerSecond >= 10_000, `${busy.bytesPerSecond}`);
});

Deno.test("status says why a backlog cannot be told, and shows one pipeline if asked", async () => {
  await using database = await testDatabase({ setUp: true });
  const { sql } = database;
  await insertPipeline(sql, { name: "far", path: "/nowhere", host: "another machine" });
  await insertPipeline(sql, { name: "lost", path: "/nowhere/at/all" });
  await insertPipeline(sql, { name: "piped", path: "-", kind: "stdin" });
  const { pipelines } = (await readStatus(sql))!;
  assertEquals(
    pipelines.map(({ name, backlog, backlogUnknown }) => [name, backlog, backlogUnknown]),
    [
      ["far", null, "the folder is on another machine"],
      ["lost", null, "the folder is not there"],
      ["piped", null, "a stream has none that can be seen"],
    ],
  );
  const one = (await readStatus(sql, { pipeline: "lost" }))!;
  assertEquals(one.pipelines.map(({ name }) => name), ["lost"]);
  assertEquals((await readStatus(sql, { pipeline: "none" }))!.pipelines, []);
});

Deno.test("status tells where the time of the last hundred batches went", async () => {
  await using database = await testDatabase({ setUp: true });
  const { sql } = database;
  await insertPipeline(sql, { path: "/nowhere" });
  const recent = async () => (await readStatus(sql))!.pipelines[0]!.recentBatches;
  // of an older version, which did not write it down
  await insertBatch(sql, { loaded: 7, bytes: 1, secondsAgo: 9, elapsedMs: 1 });
  assertEquals(await recent(), null);
  const insertStaged = (count: number, facts: { connections: number; copyMs: number }) =>
    sql`
      insert into pgsluice.batches (
        pipeline_id, epoch, files, bytes, loaded, rejected, duplicate, route, elapsed_ms,
        connections, read_ms, decode_ms, queue_ms, copy_ms, turn_ms, ledger_ms, commit_ms
      )
      select
        1, 1, 1, 1, 90, 6, 4, 'copy', 100,
        ${facts.connections}, 1, 2, 3, ${facts.copyMs}, 4,
        -- the first of a connection does not know them
        case when number > 1 then 5 end, case when number > 1 then 5 end
      from generate_series(1, ${count}) number`;
  await insertStaged(50, { connections: 2, copyMs: 1_000_000 });
  await insertStaged(99, { connections: 2, copyMs: 80 });
  await insertStaged(1, { connections: 3, copyMs: 80 });
  const found = await recent();
  assertEquals(found, {
    batches: 100,
    meanRecords: 100,
    connections: 3,
    stages: [
      { stage: "read", meanMs: 1, share: 0.01 },
      { stage: "decode", meanMs: 2, share: 0.02 },
      { stage: "queue", meanMs: 3, share: 0.03 },
      { stage: "copy", meanMs: 80, share: 0.8 },
      { stage: "turn", meanMs: 4, share: 0.04 },
      { stage: "ledger", meanMs: 5, share: 0.05 },
      { stage: "commit", meanMs: 5, share: 0.05 },
    ],
  });
});

Deno.test("status reads a ledger of an older version, which has no stages", async () => {
  await using database = await testDatabase({ setUp: true });
  const { sql } = database;
  await insertPipeline(sql, { path: "/nowhere" });
  await sql`
    alter table pgsluice.batches
      drop column connections, drop column read_ms, drop column decode_ms, drop column queue_ms,
      drop column turn_ms, drop column ledger_ms, drop column commit_ms`;
  await insertBatch(sql, { loaded: 7, bytes: 1, secondsAgo: 0, elapsedMs: 1 });
  const [pipeline] = (await readStatus(sql))!.pipelines;
  assertEquals(pipeline!.recentBatches, null);
  assert(pipeline!.lastMinute !== null);
});
