import type { ColumnEncoder } from "./column_encoder.ts";
import { encoderForColumn } from "./encoder_for_column.ts";
import type { HeaderMapping } from "./header_mapping.ts";
import type { Schema, SourceColumn } from "./schema.ts";
import type { TimeZone } from "./time_zone.ts";

/** How one column is made from the records of one file. */
export interface ColumnPlan {
  readonly column: SourceColumn;
  readonly encoder: ColumnEncoder;
  /**
   * The encoder's, to be called with `call`. To look it up in the encoder, which is of one of six
   * classes, took an eighth of all decoding.
   */
  readonly encode: ColumnEncoder["encode"];
  /** Index of the field in the record; -1 if the file does not have it. */
  readonly fieldIndex: number;
  readonly isText: boolean;
}

/** A plan for each of the schema's columns, in its order. */
export function columnPlans(
  schema: Schema,
  { mapping, timeZone }: { mapping: HeaderMapping; timeZone: TimeZone },
): ColumnPlan[] {
  return schema.columns.map((column, index) => {
    const encoder = encoderForColumn(column, timeZone);
    return {
      column,
      encoder,
      encode: encoder.encode,
      fieldIndex: mapping.fieldIndexes[index] ?? -1,
      isText: column.type === "text",
    };
  });
}

/**
 * The plans in an order that is both the tuple's and the file's, with null for each field that is
 * no column; null if the file has its columns in another order.
 */
export function plainOrder(
  plans: readonly ColumnPlan[],
  fieldCount: number,
): (ColumnPlan | null)[] | null {
  const order: (ColumnPlan | null)[] = [];
  let nextField = 0;
  for (const plan of plans) {
    if (plan.fieldIndex !== -1) {
      if (plan.fieldIndex < nextField) return null;
      for (; nextField < plan.fieldIndex; nextField++) order.push(null);
      nextField++;
    }
    order.push(plan);
  }
  for (; nextField < fieldCount; nextField++) order.push(null);
  return order;
}
