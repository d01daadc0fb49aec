import type { PostgresType } from "postgres";

/** An array type that statements of pgsluice send or read. */
interface ArrayType {
  readonly oid: number;
  readonly elementOid: number;
  readonly parseElement: (text: string) => unknown;
}

const asText = (text: string): string => text;

/** OIDs from PostgreSQL's `pg_type.dat`; elements arrive as postgres.js gives single values. */
const ARRAYS: Readonly<Record<string, ArrayType>> = {
  boolArray: { oid: 1000, elementOid: 16, parseElement: (text) => text === "t" },
  byteaArray: {
    oid: 1001,
    elementOid: 17,
    parseElement: (text) => Uint8Array.fromHex(text.slice(2)),
  },
  int2Array: { oid: 1005, elementOid: 21, parseElement: Number },
  int4Array: { oid: 1007, elementOid: 23, parseElement: Number },
  textArray: { oid: 1009, elementOid: 25, parseElement: asText },
  int8Array: { oid: 1016, elementOid: 20, parseElement: asText },
  float8Array: { oid: 1022, elementOid: 701, parseElement: Number },
  dateArray: { oid: 1182, elementOid: 1082, parseElement: asText },
  timestamptzArray: { oid: 1185, elementOid: 1184, parseElement: (text) => new Date(text) },
  numericArray: { oid: 1231, elementOid: 1700, parseElement: asText },
  uuidArray: { oid: 2951, elementOid: 2950, parseElement: asText },
};

/**
 * One-dimensional arrays for postgres.js, so that `${[1, 2]}::bigint[]` works (bytes, bigints, dates
 * and booleans need `sql.array(values)`, as ever with postgres.js). postgres.js can ask the server for array types on every new connection instead (`fetch_types`), but a connection lost
 * in that query is an unhandled rejection, which ends the process. Elements sent are text, numbers,
 * bigints, booleans, dates, bytes or null.
 */
export const ARRAY_TYPES: Record<string, PostgresType> = Object.fromEntries(
  Object.entries(ARRAYS).map(([name, { oid, parseElement }]) => [
    name,
    {
      to: oid,
      from: [oid],
      serialize: serializeArray,
      parse: (text: string) => parseArray(text, parseElement),
    },
  ]),
);

/** For `sql.array()`: the array type of an element's type. */
export const ARRAY_OF_ELEMENT: Readonly<Record<number, number>> = Object.fromEntries(
  Object.values(ARRAYS).map(({ oid, elementOid }) => [elementOid, oid]),
);

/** The literal of an array. A string is taken for a literal already made. */
function serializeArray(values: unknown): string {
  if (typeof values === "string") return values;
  if (!Array.isArray(values)) throw new TypeError("an array parameter needs an array");
  return `{${values.map(serializeElement).join(",")}}`;
}

function serializeElement(value: unknown): string {
  if (value === null) return "null";
  return `"${elementText(value).replace(/[\\"]/g, "\\$&")}"`;
}

function elementText(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${value.toHex()}`;
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
  }
  throw new TypeError(`an array parameter cannot hold ${value === undefined ? value : "that"}`);
}

/** Reads `{1,null,"a \"b\""}`: elements with odd characters are quoted, null never is. */
function parseArray(text: string, parseElement: (text: string) => unknown): unknown[] {
  const values: unknown[] = [];
  for (const match of text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)) {
    const [, quoted, plain] = match;
    if (quoted !== undefined) values.push(parseElement(quoted.replace(/\\(.)/gs, "$1")));
    else values.push(plain === "NULL" ? null : parseElement(plain ?? ""));
  }
  return values;
}
