import type { TransactionSql } from "postgres";
import type { Sql } from "../../src/database/connect.ts";
import { copyIn } from "../../src/database/copy_in.ts";
import { copySql } from "../../src/schema/ddl.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { TABLE } from "./target_table.ts";

const statement = copySql(USER_EVENTS, TABLE);

/** Rows straight into the table, in a transaction of their own. */
export async function copyBatch(sql: Sql, bytes: Uint8Array): Promise<void> {
  await sql.begin((transaction: TransactionSql) => copyIn(transaction, { statement, bytes }));
}
