/**
 * What a schema is. One value of type {@linkcode Schema} describes the events; the DDL, the header
 * mapping, the validator, the binary encoder, the generator's header, verify's checksum and the
 * table in `--help` are all derived from it. No second list of columns exists anywhere.
 */

interface ColumnBase {
  /** Name of the column in the table and, unless the header says an alias, in the CSV. */
  readonly name: string;
  /** One line for `--help` and the README. */
  readonly description: string;
  /** Other header names, compared like the name: blanks around and letter case ignored. */
  readonly aliases?: readonly string[];
  /**
   * `required`: an absent or empty field rejects the record, an absent column fails the file.
   * `optional`: it becomes null.
   */
  readonly presence: "required" | "optional";
}

export interface UuidColumn extends Omit<ColumnBase, "presence"> {
  readonly type: "uuid";
  /** `derived`, for the key: where there is none it is made from the record's place. */
  readonly presence: ColumnBase["presence"] | "derived";
}

export interface TextColumn extends ColumnBase {
  readonly type: "text";
  /** The only values accepted, compared exactly. */
  readonly allowed?: readonly string[];
}

export interface TimestampColumn extends ColumnBase {
  readonly type: "timestamptz";
}

/** Whole numbers: `integer` is 4 bytes, `bigint` 8. */
export interface WholeColumn extends ColumnBase {
  readonly type: "integer" | "bigint";
  /** Smallest value accepted; the type's own smallest unless given. */
  readonly minimum?: number;
  /** Taken when the field is absent or empty; needs `presence: "optional"`. */
  readonly default?: number;
}

export interface NumericColumn extends ColumnBase {
  readonly type: "numeric";
  /** Digits in all, at most 15, so that the value in units of the last place is an exact double. */
  readonly precision: number;
  /** Digits after the point; a further digit that is not zero is a reject, never a rounding. */
  readonly scale: number;
  /** Smallest value accepted, in whole units. */
  readonly minimum?: number;
}

/** A column that arrives in the CSV. */
export type SourceColumn =
  | UuidColumn
  | TextColumn
  | TimestampColumn
  | WholeColumn
  | NumericColumn;

/** A column made from another one, in the pipeline's time zone. */
export interface DerivedColumn {
  readonly name: string;
  readonly description: string;
  readonly type: "date" | "smallint";
  /** `date`: the local calendar date; `hour`: the local hour, 0 to 23. */
  readonly derivation: "date" | "hour";
  /** Name of the `timestamptz` source column it is made from; that column is `required`. */
  readonly from: string;
}

/** Names of the source columns whose sums by minute are kept beside the table. */
export interface MinuteSums {
  /** Of type `timestamptz`, required. */
  readonly time: string;
  /** Of type `text` with allowed values, required. */
  readonly type: string;
  /** Of type `numeric`, required. */
  readonly price: string;
  /** Of type `integer`, with a default. */
  readonly quantity: string;
}

/** An index besides the key's own. */
export interface TableIndex {
  readonly method: "btree" | "brin";
  readonly column: string;
  /** How its values are compared, if not as is usual for the column's type. */
  readonly operatorClass?: string;
}

export interface Schema {
  /** Name of the table, unless `--table` says another. */
  readonly table: string;
  readonly columns: readonly SourceColumn[];
  readonly derived: readonly DerivedColumn[];
  /** Name of the source column, of type uuid or bigint, that identifies an event. */
  readonly key: string;
  readonly indexes: readonly TableIndex[];
  /** Absent: no sums are kept. */
  readonly minutes?: MinuteSums;
}

/**
 * Columns every target table ends with, in this order, after the source columns and the derived
 * ones: which file and generation (`pgsluice.files`), which physical line (1-based), and when.
 * `ingested_at` is filled by the server.
 */
export const PROVENANCE_COLUMNS = [
  { name: "file_id", type: "bigint", description: "the file and generation it came from" },
  { name: "line_number", type: "bigint", description: "the physical line it began on, from 1" },
  { name: "ingested_at", type: "timestamptz", description: "when its batch began to load" },
] as const;

/** The columns pgsluice sends to the server, in the order of the COPY. */
export function copyColumnNames(schema: Schema): string[] {
  return [
    ...schema.columns.map((column) => column.name),
    ...schema.derived.map((column) => column.name),
    "file_id",
    "line_number",
  ];
}

/** The source column that identifies an event. */
export function keyColumn(schema: Schema): SourceColumn {
  const column = schema.columns.find((candidate) => candidate.name === schema.key);
  if (column === undefined) {
    throw new TypeError(`schema ${schema.table}: key ${schema.key} is not one of its columns`);
  }
  return column;
}

/** The columns that `schema.minutes` names. @throws TypeError if they are not as they have to be */
export function sumsColumns(schema: Schema & { readonly minutes: MinuteSums }): {
  time: TimestampColumn;
  type: TextColumn & { readonly allowed: readonly string[] };
  price: NumericColumn;
  quantity: WholeColumn;
} {
  const found = (name: string) => schema.columns.find((column) => column.name === name);
  const [time, type, price, quantity] = [
    found(schema.minutes.time),
    found(schema.minutes.type),
    found(schema.minutes.price),
    found(schema.minutes.quantity),
  ];
  if (
    time?.type === "timestamptz" && time.presence === "required" &&
    type?.type === "text" && type.presence === "required" && type.allowed !== undefined &&
    price?.type === "numeric" && price.presence === "required" &&
    quantity?.type === "integer" && quantity.default !== undefined
  ) {
    return { time, type: { ...type, allowed: type.allowed }, price, quantity };
  }
  throw new TypeError(`schema ${schema.table}: its minutes name other columns than they have to`);
}
