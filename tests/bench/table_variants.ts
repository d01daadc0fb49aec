/** The built-in table with other indexes, fill factors and partitions, for what each of them costs. */
import { createIndexSql, createTableSql } from "../../src/schema/ddl.ts";
import type { TableIndex } from "../../src/schema/schema.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { FIRST_EVENT } from "./datasets.ts";
import { TABLE } from "./target_table.ts";

export interface TableVariant {
  readonly name: string;
  /** Null: neither key nor any other index. */
  readonly key: { readonly columns: string; readonly fillfactor?: number } | null;
  readonly indexes: readonly TableIndex[];
  readonly partitions: "none" | "hash" | "day";
  /** Each batch's rows come in the order of their keys, as pgsluice sends them. */
  readonly isSorted: boolean;
}

const HASH_PARTITIONS = 4;
const DAY_MS = 24 * 3600 * 1000;
const ON_FILE: TableIndex = { method: "brin", column: "file_id" };
const ON_TIME: TableIndex = { method: "btree", column: "event_timestamp" };
const ON_USER: TableIndex = { method: "btree", column: "user_id" };
const ON_PRODUCT: TableIndex = { method: "btree", column: "product_id" };

const BUILT_IN: TableVariant = {
  name: "built-in",
  key: { columns: USER_EVENTS.key },
  indexes: USER_EVENTS.indexes,
  partitions: "none",
  isSorted: false,
};

/** The first is what the others are compared with. Those that share partitions stand together. */
export const VARIANTS: readonly TableVariant[] = [
  BUILT_IN,
  ...bothOrders(BUILT_IN).slice(1),
  { ...BUILT_IN, name: "no index at all", key: null, indexes: [] },
  ...bothOrders({ ...BUILT_IN, name: "key alone", indexes: [] }),
  { ...BUILT_IN, name: "key, brin (file_id)", indexes: [ON_FILE] },
  ...bothOrders({
    ...BUILT_IN,
    name: "key, brin (file_id), btree (event_timestamp)",
    indexes: [ON_FILE, ON_TIME],
  }),
  {
    ...BUILT_IN,
    name: "built-in, btree (user_id), btree (product_id)",
    indexes: [...USER_EVENTS.indexes, ON_USER, ON_PRODUCT],
  },
  ...[70, 100].map((fillfactor) => ({
    ...BUILT_IN,
    name: `built-in, key's fillfactor ${fillfactor}`,
    key: { columns: USER_EVENTS.key, fillfactor },
  })),
  {
    ...BUILT_IN,
    name: `built-in, ${HASH_PARTITIONS} partitions by hash of the key`,
    partitions: "hash",
  },
  {
    ...BUILT_IN,
    name: "built-in, partitions by day, key (event_id, event_timestamp)",
    key: { columns: `${USER_EVENTS.key}, event_timestamp` },
    partitions: "day",
  },
];

function bothOrders(variant: TableVariant): TableVariant[] {
  return [
    variant,
    { ...variant, name: `${variant.name}, each batch in the order of its keys`, isSorted: true },
  ];
}

/**
 * Makes the table in place of one that is there, without any index.
 * @param days before and after the first event of the data sets, for partitions by day
 */
export function createBareTableSql(
  { partitions }: TableVariant,
  { daysBefore, daysAfter }: { daysBefore: number; daysAfter: number },
): string {
  const bare = (table: string) =>
    createTableSql({ ...USER_EVENTS, indexes: [] }, { table }) +
    `alter table ${table} drop constraint ${table}_pkey;\n`;
  const drop = `drop table if exists ${TABLE};\n`;
  if (partitions === "none") return drop + bare(TABLE);
  const by = partitions === "hash" ? "hash (event_id)" : "range (event_timestamp)";
  const bounds = partitions === "hash"
    ? Array.from(
      { length: HASH_PARTITIONS },
      (_, remainder) => `with (modulus ${HASH_PARTITIONS}, remainder ${remainder})`,
    )
    : Array.from({ length: daysBefore + daysAfter }, (_, index) => {
      const day = (number: number) =>
        new Date(FIRST_EVENT.getTime() + (number - daysBefore) * DAY_MS).toISOString();
      return `from ('${day(index)}') to ('${day(index + 1)}')`;
    });
  return `${drop}${bare("shape")}
    create table ${TABLE} (like shape including defaults) partition by ${by};
    drop table shape;\n` +
    bounds.map((bound, index) =>
      `create table ${TABLE}_${index} partition of ${TABLE} for values ${bound};\n`
    ).join("");
}

/** Statements that make key and indexes of a table that has none. */
export function createIndexesSql({ key, indexes }: TableVariant): string {
  const statements = indexes.map((index) => createIndexSql(index, { table: TABLE }));
  if (key !== null) {
    const storage = key.fillfactor === undefined ? "" : ` with (fillfactor = ${key.fillfactor})`;
    statements.unshift(`alter table ${TABLE} add primary key (${key.columns})${storage}`);
  }
  return statements.map((statement) => `${statement};\n`).join("");
}
