/** A file that grows in odd pieces while it is watched must end as if it had been whole at once. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Random } from "../../src/generate/random.ts";
import { fuzz } from "../support/fuzz.ts";
import {
  folderSource,
  HEADER,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  withPlace,
} from "../support/ingest_fixture.ts";
import { mutatedCsv, writtenCsv } from "../support/mutated_csv.ts";
import { testDatabase } from "../support/test_database.ts";

const FILE = "a.csv";
const POLL_MS = 2;
/** So short that a cut is often taken for the end, and must be taken back. */
const SETTLE_MS = 10;

/** One pipeline of many in the test's database, with a folder and a table of its own. */
interface Side {
  readonly pipelineName: string;
  readonly table: string;
  readonly directory: string;
}

async function makeSide(place: IngestPlace, name: string): Promise<Side> {
  const directory = join(place.home, name);
  await Deno.mkdir(directory);
  return { pipelineName: name, table: name, directory };
}

function ingestChange(place: IngestPlace, side: Side, random: Random) {
  return {
    pipelineName: side.pipelineName,
    table: side.table,
    timeZone: "Europe/Berlin",
    maxRecordBytes: 1_000,
    settleMs: SETTLE_MS,
    limits: { rows: random.pick([2, 7, 1_000]), sizeBytes: random.pick([300, 1e9]), lingerMs: 1 },
    checkpointsDirectory: join(place.home, "checkpoints"),
  };
}

/** All that a pipeline knows of its file, but for ids and times. */
async function outcome({ database: { sql } }: IngestPlace, { pipelineName, table }: Side) {
  const plain = (rows: readonly object[]) => rows.map((row) => ({ ...row }));
  const ofFile = sql`
    from pgsluice.files join pgsluice.pipelines using (pipeline_id)
    where pipelines.name = ${pipelineName}`;
  const files = await sql`
    select path, generation, state, committed_byte, committed_line, provisional_from_byte, loaded,
      rejected, duplicate, headers, ambiguous_times, chain_hash, tail_hash ${ofFile}`;
  const rejects = await sql`
    select line_number, start_byte, end_byte, column_name, code, encode(raw, 'hex') as raw
    from pgsluice.rejects where file_id in (select file_id ${ofFile}) order by start_byte`;
  const duplicates = await sql`
    select line_number, start_byte, end_byte, key
    from pgsluice.duplicates where file_id in (select file_id ${ofFile}) order by start_byte`;
  // a derived key begins with a hash of the pipeline's name, and ends with the record's place
  const rows = await sql.unsafe(`
    select line_number, event_timestamp::text, event_type, user_id, product_id, product_name,
      category, price::text, quantity, event_date::text, event_hour,
      case when event_id::text ~ '^.{14}8' then right(event_id::text, 12) else event_id::text end
        as key
    from ${table} order by line_number`);
  return [files, rejects, duplicates, rows].map(plain);
}

/** In which pieces the file comes: where each ends. */
function randomCuts(random: Random, { size, worst }: { size: number; worst: readonly number[] }) {
  const cuts = Array.from(
    { length: 1 + random.below(7) },
    () => worst.length > 0 && random.below(2) === 0 ? random.pick(worst) : random.below(size),
  );
  return [...new Set([...cuts, size])].filter((cut) => cut > 0).toSorted((a, b) => a - b);
}

/** True if the ingester saw the file at this size and has done all there is to do about it. */
async function isTaken(
  { database: { sql } }: IngestPlace,
  { pipelineName }: Side,
  sizeBytes: number,
): Promise<boolean> {
  const taken = await sql`
    select 1 from pgsluice.files join pgsluice.pipelines using (pipeline_id)
    where pipelines.name = ${pipelineName} and size_bytes = ${sizeBytes}
      and (committed_byte = ${sizeBytes} or state = 'failed')`;
  return taken.length > 0;
}

async function grow(
  place: IngestPlace,
  side: Side,
  { bytes, cuts, random }: { bytes: Uint8Array; cuts: readonly number[]; random: Random },
): Promise<void> {
  const { heard, stop } = ingestWatching(place, {
    ...ingestChange(place, side, random),
    source: folderSource(place, { directory: side.directory, once: false }),
  });
  await heard.until(() => heard.starts === 1);
  let at = 0;
  for (const cut of cuts) {
    await Deno.writeFile(join(side.directory, FILE), bytes.subarray(at, cut), { append: true });
    at = cut;
    const isLast = cut === bytes.length;
    // or the next piece comes while this one is looked at
    if (!isLast && random.below(3) === 0) continue;
    while (!await isTaken(place, side, cut)) {
      if (heard.outages.length > 0) throw heard.outages[0];
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
  await stop();
}

Deno.test("a file that grows in odd pieces while it is watched ends as one that was whole at once", async () => {
  await withPlace(await testDatabase(), async (place) => {
    let sideCount = 0;
    await fuzz(12, async (random) => {
      const records = 1 + random.below(15);
      const { bytes, worstCuts } = random.below(2) === 0
        ? writtenCsv(random, { records })
        : { bytes: mutatedCsv(random, { records, keepBytes: HEADER.length + 5 }), worstCuts: [] };
      const cuts = randomCuts(random, { size: bytes.length, worst: worstCuts });
      const what = JSON.stringify({ cuts, text: new TextDecoder("latin1").decode(bytes) });
      const grown = await makeSide(place, `grown_${sideCount}`);
      const whole = await makeSide(place, `whole_${sideCount++}`);
      await grow(place, grown, { bytes, cuts, random });
      await Deno.writeFile(join(whole.directory, FILE), bytes);
      await ingestOnce(place, {
        ...ingestChange(place, whole, random),
        source: folderSource(place, { directory: whole.directory }),
      });
      assertEquals(await outcome(place, grown), await outcome(place, whole), what);
      for (const { pipelineName } of [grown, whole]) await verifyExact(place, pipelineName);
    });
  });
});
