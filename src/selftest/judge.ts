/**
 * The judge of every campaign: verify reads the files again and compares them with ledger and
 * table; the known truth says what must be there in the first place.
 */
import type { Sql } from "../database/connect.ts";
import { decimalOfCents } from "../generate/manifest.ts";
import { USER_EVENTS } from "../schema/user_events.ts";
import { findPipeline } from "../sink/pipeline_binding.ts";
import { verifyPipeline } from "../verify/verify_pipeline.ts";
import type { FileReport, VerifyReport } from "../verify/verify_report.ts";
import { PLANTED_NAME_PREFIX } from "./planted_event.ts";
import type { FileChange, Truth } from "./planted_input.ts";
import type { TestedPipeline } from "./selftest_ground.ts";

export interface Verdict {
  /** Rows in the table. */
  readonly rows: number;
  /** Events that are not in the table and should be. */
  readonly lost: number;
  /** Rows beyond one an event. */
  readonly doubled: number;
  /** All else that is not as promised, as sentences. */
  readonly violations: readonly string[];
}

/** Files whose difference is told; one fault may touch many. */
const TOLD_FILES = 3;

export async function judge(
  sql: Sql,
  { pipeline, truth }: { pipeline: TestedPipeline; truth: Truth },
): Promise<Verdict> {
  const report = await verifyPipeline({ sql, schema: USER_EVENTS, pipeline: pipeline.name });
  const found = await readFound(sql, pipeline);
  const { generated, plantedNames } = truth;
  let lost = Math.max(0, generated.valid - found.generatedRows);
  let doubled = Math.max(0, found.generatedRows - generated.valid);
  for (const name of plantedNames) if (!found.planted.has(name)) lost++;
  for (const [name, count] of found.planted) doubled += plantedNames.has(name) ? count - 1 : count;
  // only the bytes of a generation that another one took the place of are gone
  const isReplaced = ({ path, generation }: FileReport) =>
    report.files.some((file) => file.path === path && file.generation > generation);
  const differences = verifyViolations(report, isReplaced);
  const expect = (what: string, { expected, is }: { expected: unknown; is: unknown }) => {
    if (expected !== is) differences.push(`${what}: expected ${expected}, found ${is}`);
  };
  expect("duplicates in the ledger", {
    expected: generated.duplicates + truth.plantedDuplicates,
    is: report.duplicate,
  });
  let plantedRejects = 0;
  for (const [code, count] of truth.plantedRejects) {
    plantedRejects += count;
    expect(`rejects with code ${code}`, { expected: count, is: found.rejects.get(code) ?? 0 });
  }
  expect("rejects in the ledger", {
    expected: generated.rejected + plantedRejects,
    is: report.rejected,
  });
  expect("sum of the generated prices", {
    expected: generated.priceSum,
    is: decimalOfCents(found.generatedCents),
  });
  return { rows: found.rows, lost, doubled, violations: differences };
}

/**
 * What is committed so far is exact at any time, whatever has failed; but that a file may be on its
 * way to the archive, and that the ingester may not have seen the last changes.
 */
export async function verifySoFar(
  sql: Sql,
  { pipeline, changes }: { pipeline: TestedPipeline; changes: readonly FileChange[] },
): Promise<string[]> {
  if (await findPipeline(sql, pipeline.name) === null) return [];
  const report = await verifyPipeline({ sql, schema: USER_EVENTS, pipeline: pipeline.name });
  const isReplaced = ({ path }: FileReport) =>
    changes.some((change) => change.how === "replace" && change.path === path);
  const files = report.files.filter((file) => !isReplaced(file));
  return verifyViolations({ ...report, files }, () => true);
}

function verifyViolations(
  { files, strays, strayCount, sums, sumCount }: VerifyReport,
  mayBeGone: (file: FileReport) => boolean,
): string[] {
  const isAccepted = (file: FileReport) =>
    file.verdict === "exact" || file.verdict === "same" ||
    file.verdict === "source gone" && mayBeGone(file);
  const wrong = files.filter((file) => !isAccepted(file));
  const told = wrong.slice(0, TOLD_FILES).map((file) => `${file.path} ${why(file)}`);
  if (wrong.length > told.length) told.push(`${wrong.length - told.length} more files differ`);
  if (strayCount > 0) told.push(`${strayCount} rows of no file, as ${strays[0]?.found}`);
  if (sumCount > 0) {
    const [first] = sums;
    told.push(`${sumCount} sums by minute: expected ${first?.expected}, found ${first?.found}`);
  }
  return told.map((text) => `verify: ${text}`);
}

function why({ verdict, reason, differences }: FileReport): string {
  const [first] = differences;
  if (first === undefined) return `is ${verdict}: ${reason}`;
  const line = first.lineNumber === null ? "" : ` line ${first.lineNumber}:`;
  return `is ${verdict}:${line} expected ${first.expected}, found ${first.found}`;
}

interface Found {
  readonly rows: number;
  readonly generatedRows: number;
  readonly generatedCents: bigint;
  /** How many rows there are, by name. */
  readonly planted: ReadonlyMap<string, number>;
  readonly rejects: ReadonlyMap<string, number>;
}

async function readFound(sql: Sql, pipeline: TestedPipeline): Promise<Found> {
  const groups = await sql.unsafe<{ name: string | null; count: number; cents: string }[]>(
    `select
      case when starts_with(product_name, $1) then product_name end as name,
      count(*)::int as count,
      (sum(price) * 100)::bigint::text as cents
    from ${pipeline.quotedTable}
    group by 1`,
    [PLANTED_NAME_PREFIX],
  );
  const rejects = await sql<{ code: string; count: number }[]>`
    select code, count(*)::int as count
    from pgsluice.rejects
    join pgsluice.files using (file_id)
    join pgsluice.pipelines using (pipeline_id)
    where name = ${pipeline.name}
    group by code`;
  const generated = groups.find(({ name }) => name === null);
  return {
    rows: groups.reduce((sum, { count }) => sum + count, 0),
    generatedRows: generated?.count ?? 0,
    generatedCents: BigInt(generated?.cents ?? 0),
    planted: new Map(groups.flatMap(({ name, count }) => name === null ? [] : [[name, count]])),
    rejects: new Map(rejects.map(({ code, count }) => [code, count])),
  };
}
