import { EXIT, PgsluiceError } from "../pgsluice_error.ts";

/** A table as `--table` names it. */
export interface TableName {
  /** Null: found by the session's `search_path`. */
  readonly schema: string | null;
  readonly name: string;
  /** For SQL: every part in double quotes. */
  readonly quoted: string;
}

/** Longest identifier of PostgreSQL; a longer one would be cut without an error. */
const MAX_IDENTIFIER_BYTES = 63;

const PART = String.raw`(?:"((?:[^"\0]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*))`;
const TABLE_NAME = new RegExp(String.raw`^\s*${PART}(?:\s*\.\s*${PART})?\s*$`, "u");

/** Puts an identifier in double quotes, so that SQL takes it as it is. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Reads the name of a table as SQL would: `user_events`, `shop.events`, `"Odd Name"`. Without
 * double quotes letters become lower case.
 *
 * @throws {PgsluiceError} `table-name`.
 */
export function tableName(text: string): TableName {
  const match = TABLE_NAME.exec(text);
  if (match === null) throw nameError(text, "it is not NAME or SCHEMA.NAME");
  const parts = [readPart(match[1], match[2]), readPart(match[3], match[4])]
    .filter((part) => part !== null);
  for (const part of parts) {
    if (new TextEncoder().encode(part).length > MAX_IDENTIFIER_BYTES) {
      throw nameError(text, `a name is at most ${MAX_IDENTIFIER_BYTES} bytes long`);
    }
  }
  return {
    schema: parts.length === 2 ? parts[0]! : null,
    name: parts.at(-1)!,
    quoted: parts.map(quoteIdentifier).join("."),
  };
}

/** PostgreSQL folds the letters of ASCII only. */
function readPart(quoted: string | undefined, plain: string | undefined): string | null {
  if (quoted !== undefined) return quoted.replaceAll('""', '"');
  return plain?.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) ?? null;
}

function nameError(text: string, reason: string): PgsluiceError {
  return new PgsluiceError("table-name", `${JSON.stringify(text)} names no table: ${reason}`, {
    hint: "as in user_events, shop.events or '\"Odd Name\"' (double quotes reach pgsluice only " +
      "within single ones)",
    exitCode: EXIT.usage,
  });
}
