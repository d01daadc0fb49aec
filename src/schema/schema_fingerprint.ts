import { createHash } from "node:crypto";
import type { Schema } from "./schema.ts";

/** Digits of the fingerprint: 64 bits tell any two schemas of one installation apart. */
const DIGITS = 16;

/**
 * Names the meaning that a schema gives to bytes: two schemas with the same fingerprint load the
 * same file into the same rows. Descriptions, indexes and the table's name are no part of it.
 */
export function schemaFingerprint(schema: Schema): string {
  const meaning = {
    key: schema.key,
    columns: schema.columns.map(({ description: _, ...rest }) => rest),
    derived: schema.derived.map(({ description: _, ...rest }) => rest),
  };
  return createHash("sha256").update(canonicalJson(meaning)).digest("hex").slice(0, DIGITS);
}

/** JSON with the keys of objects in order, so that the order they were written in has no say. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) =>
      part !== null && typeof part === "object" && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
        : part,
  );
}
