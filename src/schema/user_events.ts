import type { Schema } from "./schema.ts";

/** The built-in schema: what a shop's visitors viewed and bought. */
export const USER_EVENTS: Schema = {
  table: "user_events",
  columns: [
    {
      name: "event_id",
      type: "uuid",
      presence: "derived",
      description: "identifies the event; made from file and place where the CSV has none",
    },
    {
      name: "event_timestamp",
      type: "timestamptz",
      presence: "required",
      aliases: ["timestamp", "event_time"],
      description: "ISO 8601, or epoch seconds or milliseconds",
    },
    {
      name: "event_type",
      type: "text",
      presence: "required",
      allowed: ["view", "purchase"],
      aliases: ["event", "action"],
      description: "what the visitor did",
    },
    {
      name: "user_id",
      type: "bigint",
      presence: "required",
      minimum: 1,
      aliases: ["visitorid"],
      description: "who",
    },
    {
      name: "product_id",
      type: "bigint",
      presence: "required",
      minimum: 1,
      aliases: ["itemid"],
      description: "which product",
    },
    {
      name: "product_name",
      type: "text",
      presence: "optional",
      description: "its name at the time",
    },
    { name: "category", type: "text", presence: "optional", description: "its category" },
    {
      name: "price",
      type: "numeric",
      presence: "required",
      precision: 12,
      scale: 2,
      minimum: 0,
      description: "price of one piece",
    },
    {
      name: "quantity",
      type: "integer",
      presence: "optional",
      minimum: 1,
      default: 1,
      description: "how many pieces",
    },
  ],
  derived: [
    {
      name: "event_date",
      type: "date",
      derivation: "date",
      from: "event_timestamp",
      description: "local date in the pipeline's time zone",
    },
    {
      name: "event_hour",
      type: "smallint",
      derivation: "hour",
      from: "event_timestamp",
      description: "local hour, 0 to 23, in the pipeline's time zone",
    },
  ],
  key: "event_id",
  indexes: [
    { method: "brin", column: "file_id" },
    // events come nearly in order of time; a btree would cost more than all else of a row, for the
    // rows of a batch go in the order of their keys. "multi" bears a few that are late or far off
    {
      method: "brin",
      column: "event_timestamp",
      operatorClass: "timestamptz_minmax_multi_ops",
    },
  ],
  minutes: {
    time: "event_timestamp",
    type: "event_type",
    price: "price",
    quantity: "quantity",
  },
};
