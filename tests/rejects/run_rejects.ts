/** Runs the commands on rejects against a test database. */
import { Buffer } from "node:buffer";
import { join } from "@std/path";
import { COMMANDS } from "../../src/cli/commands.ts";
import { parseArguments } from "../../src/cli/flags.ts";
import { ingestOnce, type IngestPlace, withPlace, writeEvents } from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";

/** A test with a database and a folder of its own. */
export function rejectsTest(name: string, run: (place: IngestPlace) => Promise<void>): void {
  Deno.test(name, async () => await withPlace(await testDatabase(), run));
}

export interface RejectsRun {
  readonly exitCode: number;
  /** What went to stdout, as it is and as text. */
  readonly bytes: Uint8Array;
  readonly output: string;
  /** The lines on stderr. */
  readonly said: readonly string[];
}

/** Runs `pgsluice rejects VERB …` in this process. */
export async function runRejects(
  place: IngestPlace,
  verb: string,
  ...args: readonly string[]
): Promise<RejectsRun> {
  const command = COMMANDS.find(({ name }) => name === `rejects ${verb}`)!;
  const written: Uint8Array[] = [];
  const said: string[] = [];
  const given = ["--database", place.database.url, ...args];
  const exitCode = await command.run({
    ...parseArguments(command, given, () => undefined),
    terminal: {
      write(data) {
        written.push(typeof data === "string" ? new TextEncoder().encode(data) : data.slice());
        return Promise.resolve();
      },
      say: (text) => said.push(text),
      log: ({ message }) => said.push(message),
      live() {},
      stdoutIsTerminal: false,
      stderrIsTerminal: false,
      columns: 80,
    },
    signal: new AbortController().signal,
  });
  const bytes = new Uint8Array(Buffer.concat(written));
  return { exitCode, bytes, output: new TextDecoder().decode(bytes), said };
}

/** Writes a CSV of mended records. */
export async function writeMended(place: IngestPlace, text: string | Uint8Array): Promise<string> {
  const path = join(place.home, `mended-${crypto.randomUUID()}.csv`);
  await Deno.writeFile(path, typeof text === "string" ? new TextEncoder().encode(text) : text);
  return path;
}

/** Retries what is in the CSV. */
export async function retryText(
  place: IngestPlace,
  text: string,
  ...args: readonly string[]
): Promise<RejectsRun> {
  return await runRejects(place, "retry", await writeMended(place, text), ...args);
}

/** A CSV with these records. */
export function mendedCsv(rows: readonly (readonly [id: number, raw: string])[]): string {
  const lines = rows.map(([id, raw]) => `${id},"${raw.replaceAll('"', '""')}"\n`);
  return "reject_id,raw\n" + lines.join("");
}

export async function loadFile(place: IngestPlace, name: string, text: string): Promise<void> {
  await writeEvents(place, name, text);
  await ingestOnce(place);
}

export async function counts(place: IngestPlace, path: string) {
  const [row] = await place.database.sql`
    select loaded::int, rejected::int, duplicate::int
    from pgsluice.files
    where path = ${path}
    order by generation desc
    limit 1`;
  return { ...row! };
}

/** Everything that a retry could change, to see that it did not. */
export async function everything(place: IngestPlace): Promise<string> {
  const { sql } = place.database;
  return JSON.stringify([
    await sql`select * from user_events order by event_id`,
    await sql`select * from pgsluice.rejects order by reject_id`,
    await sql`select * from pgsluice.duplicates order by file_id, start_byte`,
    await sql`select * from pgsluice.files order by file_id`,
    await sql`select pipeline_id, changes from pgsluice.pipelines order by pipeline_id`,
  ]);
}
