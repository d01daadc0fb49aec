// @ts-check
/** A name that SQL reads the same with and without its quotes, reserved words aside. */
const QUOTED_PLAINLY = /^"[a-z_][a-z0-9_$]*"(?:\."[a-z_][a-z0-9_$]*")*$/;

/**
 * A table as people write it: `"public"."user_events"` is `public.user_events`; what needs its
 * quotes keeps them.
 * @param {string} table
 */
export function plainTableName(table) {
  return QUOTED_PLAINLY.test(table) ? table.replaceAll('"', "") : table;
}
