import { AllowedTextEncoder } from "./allowed_text_encoder.ts";
import type { ColumnEncoder } from "./column_encoder.ts";
import { NumericEncoder } from "./numeric_encoder.ts";
import type { SourceColumn } from "./schema.ts";
import { TextEncoder } from "./text_encoder.ts";
import type { TimeZone } from "./time_zone.ts";
import { TimestampEncoder } from "./timestamp_encoder.ts";
import { UuidEncoder } from "./uuid_encoder.ts";
import { WholeEncoder } from "./whole_encoder.ts";

/** @param timeZone of times that name none */
export function encoderForColumn(column: SourceColumn, timeZone: TimeZone): ColumnEncoder {
  switch (column.type) {
    case "uuid":
      return new UuidEncoder();
    case "text":
      return column.allowed ? new AllowedTextEncoder(column.allowed) : new TextEncoder();
    case "timestamptz":
      return new TimestampEncoder(timeZone);
    case "integer":
    case "bigint":
      return new WholeEncoder(column);
    case "numeric":
      return new NumericEncoder(column);
  }
}
