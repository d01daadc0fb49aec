import { PgsluiceError } from "../pgsluice_error.ts";

const FORMAT = "pgsluice-manifest/1";

/** The truth about a run of the generator, in records without headers. */
export interface Manifest {
  readonly format: typeof FORMAT;
  readonly seed: number;
  /** ISO 8601, UTC. With the seed it makes the same bytes again. */
  readonly start: string;
  /** Files written; 0 if the events went to a stream. */
  readonly files: number;
  /** All records: `valid + duplicates + rejected`. */
  readonly events: number;
  readonly valid: number;
  /** Valid rows sent again, byte by byte the same. */
  readonly duplicates: number;
  /** Defective records by kind, kinds that did not occur left out; each is one reject. */
  readonly defects: Readonly<Record<string, number>>;
  /** Sum of `defects`. */
  readonly rejected: number;
  /** Sum of the price over the valid events, exact, as in `1234.50`. */
  readonly priceSum: string;
}

/** `123450n` cents are `1234.50`. */
export function decimalOfCents(cents: bigint): string {
  return `${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`;
}

export function newManifest(facts: Omit<Manifest, "format" | "events" | "rejected">): Manifest {
  const rejected = sum(Object.values(facts.defects));
  return {
    format: FORMAT,
    seed: facts.seed,
    start: facts.start,
    files: facts.files,
    events: facts.valid + facts.duplicates + rejected,
    valid: facts.valid,
    duplicates: facts.duplicates,
    defects: facts.defects,
    rejected,
    priceSum: facts.priceSum,
  };
}

/** The manifest as text; {@linkcode parseManifest} reads it. */
export function formatManifest(manifest: Manifest): string {
  return JSON.stringify(manifest, null, 2) + "\n";
}

/**
 * Reads a manifest, and checks that it adds up.
 * @throws {PgsluiceError} `bad-manifest`, saying what is wrong with it
 */
export function parseManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badManifest("it is not JSON", cause);
  }
  if (!isObject(value)) throw badManifest("it is not a JSON object");
  if (value.format !== FORMAT) {
    throw badManifest(`its format is ${JSON.stringify(value.format)}, expected "${FORMAT}"`);
  }
  if (!isObject(value.defects)) throw badManifest("defects is not an object");
  const manifest = newManifest({
    seed: count(value, "seed"),
    start: string(value, "start"),
    files: count(value, "files"),
    valid: count(value, "valid"),
    duplicates: count(value, "duplicates"),
    defects: Object.fromEntries(
      Object.keys(value.defects).map((kind) => [kind, count(value.defects, kind)]),
    ),
    priceSum: string(value, "priceSum"),
  });
  if (!/^\d+\.\d{2}$/.test(manifest.priceSum)) {
    throw badManifest(`priceSum is "${manifest.priceSum}", expected an amount such as "1234.50"`);
  }
  for (const name of ["rejected", "events"] as const) {
    if (count(value, name) !== manifest[name]) {
      throw badManifest(`${name} is ${value[name]}, but its parts add up to ${manifest[name]}`);
    }
  }
  return manifest;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function count(object: unknown, name: string): number {
  const value = (object as Record<string, unknown>)[name];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw badManifest(`${name} is ${JSON.stringify(value)}, expected a whole number`);
}

function string(object: Record<string, unknown>, name: string): string {
  const value = object[name];
  if (typeof value === "string") return value;
  throw badManifest(`${name} is ${JSON.stringify(value)}, expected a text`);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, value) => total + value, 0);
}

function badManifest(reason: string, cause?: unknown): PgsluiceError {
  return new PgsluiceError("bad-manifest", `the manifest cannot be used: ${reason}`, {
    hint: "name a file that `pgsluice generate --manifest FILE` wrote",
    cause,
  });
}
