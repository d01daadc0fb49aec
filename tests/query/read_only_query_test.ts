import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect, type DatabaseClient } from "../../src/database/connect.ts";
import { isConnectionError } from "../../src/database/fault.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import {
  type QueryColumn,
  type QueryReader,
  type QueryRow,
  readOnlyQuery,
} from "../../src/query/read_only_query.ts";
import { type TestDatabase, testDatabase } from "../support/test_database.ts";

interface Asked {
  readonly columns: readonly QueryColumn[];
  readonly rows: readonly QueryRow[];
  readonly tookMs: number;
}

interface AskOptions {
  readonly timeoutMs?: number;
  /** Where the reasons go for which it was stopped. */
  readonly stops?: Error[];
  readonly reader?: Partial<QueryReader>;
}

type Ask = (statement: string, options?: AskOptions) => Promise<Asked>;

/** A test on a database of its own; each statement is asked on a connection of its own. */
function queryTest(
  name: string,
  run: (ask: Ask, database: TestDatabase) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await using database = await testDatabase();
    await run(async (statement, options = {}) => {
      const client = await connect(database.target, { applicationName: "pgsluice query" });
      try {
        return await askOn(client, statement, options);
      } finally {
        client.destroy();
        await client.close();
      }
    }, database);
  });
}

async function askOn(
  client: DatabaseClient,
  statement: string,
  { timeoutMs = 0, stops = [], reader }: AskOptions,
): Promise<Asked> {
  let columns: readonly QueryColumn[] = [];
  const rows: QueryRow[] = [];
  const stop = (reason: Error) => {
    stops.push(reason);
    client.destroy();
  };
  const tookMs = await readOnlyQuery(client.sql, { statement, timeoutMs, stop }, {
    columns(named) {
      columns = named;
    },
    rows(page) {
      rows.push(...page);
      return true;
    },
    ...reader,
  });
  return { columns, rows, tookMs };
}

async function refusal(asking: Promise<unknown>): Promise<PgsluiceError> {
  return await assertRejects(() => asking, PgsluiceError);
}

queryTest("values of every type come as psql shows them", async (ask) => {
  const cases: readonly (readonly [expression: string, type: string, text: string | null])[] = [
    ["null::int", "integer", null],
    ["''::text", "text", ""],
    ["true", "boolean", "t"],
    ["9223372036854775807::bigint", "bigint", "9223372036854775807"],
    ["1.50::numeric(5,2)", "numeric", "1.50"],
    ["12345678901234567890.1234567890::numeric", "numeric", "12345678901234567890.1234567890"],
    ["'NaN'::numeric", "numeric", "NaN"],
    ["0.1::float8 + 0.2", "double precision", "0.30000000000000004"],
    ["'-infinity'::float4", "real", "-Infinity"],
    ["'\\x00ff5c'::bytea", "bytea", "\\x00ff5c"],
    ["array[1,null,3]", "integer[]", "{1,NULL,3}"],
    ["array['a,b','\"']", "text[]", '{"a,b","\\""}'],
    ["array[[1,2],[3,4]]", "integer[]", "{{1,2},{3,4}}"],
    [
      "'2026-03-14 10:00:00.123456'::timestamp",
      "timestamp without time zone",
      "2026-03-14 10:00:00.123456",
    ],
    ["'infinity'::timestamptz", "timestamp with time zone", "infinity"],
    ["'0044-03-15 BC'::date", "date", "0044-03-15 BC"],
    ["interval '1 day 2 hours'", "interval", "1 day 02:00:00"],
    ["'{\"a\": [1, 2.0]}'::jsonb", "jsonb", '{"a": [1, 2.0]}'],
    ['\'{"b":1,\n"b":2}\'::json', "json", '{"b":1,\n"b":2}'],
    ["int8range(1, 5)", "int8range", "[1,5)"],
    ["row(1, 'x y')", "record", '(1,"x y")'],
    ["'2001:db8::1'::inet", "inet", "2001:db8::1"],
    ["'é🎁 天地'", "text", "é🎁 天地"],
    ["'pg_class'::regclass", "regclass", "pg_class"],
  ];
  const select = cases.map(([expression]) => expression).join(", ");
  const { columns, rows } = await ask(`select ${select}`);
  assertEquals(columns.map(({ type }) => type), cases.map(([, type]) => type));
  assertEquals(rows, [cases.map(([, , text]) => text)]);
});

queryTest("statements that are no select give their rows as well, or none", async (ask) => {
  assertEquals((await ask("values (1), (2)")).rows, [["1"], ["2"]]);
  assertEquals((await ask("table pg_catalog.pg_class limit 0")).rows, []);
  assertEquals((await ask("show standard_conforming_strings")).rows, [["on"]]);
  const plan = await ask("-- how?\nexplain (costs off) select 1");
  assertEquals([plan.columns[0]!.name, plan.rows], ["QUERY PLAN", [["Result"]]]);
  assertEquals((await ask("with a as (select 7 as n) select * from a;")).rows, [["7"]]);
  for (const statement of ["set work_mem = '1MB'", "listen shop", "do $$begin end$$", "commit"]) {
    const { columns, rows } = await ask(statement);
    assertEquals([columns, rows], [[], []], statement);
  }
  assertEquals((await ask("select from generate_series(1, 3)")).rows, [[], [], []]);
});

queryTest("columns come before the statement runs, and of one name they stay two", async (ask) => {
  const told: string[] = [];
  await assertRejects(() =>
    ask("select 1 as a, 2 as a, 1 / n from (values (0)) v (n)", {
      reader: {
        columns: (columns) => {
          told.push(...columns.map(({ name }) => name));
        },
      },
    }), PgsluiceError);
  assertEquals(told, ["a", "a", "?column?"]);
});

queryTest("all rows of many pages come, each once and in order", async (ask) => {
  const { rows } = await ask("select n from generate_series(1, 12345) n");
  assertEquals(rows, Array.from({ length: 12345 }, (_, index) => [String(index + 1)]));
});

queryTest("a reader that wants no more ends a statement without an end", async (ask) => {
  let pages = 0;
  const { tookMs } = await ask("select generate_series(1, 1000000000000)", {
    reader: {
      rows: () => ++pages < 3,
    },
  });
  assertEquals(pages, 3);
  assert(tookMs > 0);
});

queryTest("what a reader throws ends the statement, and is thrown", async (ask) => {
  // on the first of many pages, on the only one, and where the server does not count the rows
  const statements = ["select generate_series(1, 1000000000000)", "select 1", "show work_mem"];
  for (const statement of statements) {
    const error = await assertRejects(
      () =>
        ask(statement, {
          reader: {
            async rows() {
              await new Promise((resolve) => setTimeout(resolve));
              throw new RangeError("enough");
            },
          },
        }),
      RangeError,
    );
    assertEquals(error.message, "enough");
  }
});

queryTest(
  "the server makes rows only when the reader has taken those before",
  async (ask, { sql }) => {
    const made: number[] = [];
    // each row takes a lock, which others can see
    await ask("select n, pg_advisory_xact_lock_shared(n) from generate_series(1, 1200) n", {
      reader: {
        async rows() {
          const [locks] = await sql<{ count: number }[]>`
          select count(*)::int as count
          from pg_locks
          where locktype = 'advisory'
            and database = (select oid from pg_database where datname = current_database())`;
          made.push(locks!.count);
          return true;
        },
      },
    });
    assertEquals(made, [500, 1000, 1200]);
  },
);

queryTest("whatever writes is refused, however it is said", async (ask, { sql }) => {
  await sql.unsafe(`
    create table t (n int);
    insert into t values (1);
    create sequence s;
    create function add() returns int language sql as 'insert into t values (2) returning n';
    create procedure commit_and_add() language plpgsql as $$
      begin commit; insert into t values (3); end $$`);
  const statements: readonly (readonly [statement: string, code: string])[] = [
    ["insert into t values (1)", "query-read-only"],
    ["update t set n = 2", "query-read-only"],
    ["delete from t returning n", "query-read-only"],
    ["with gone as (delete from t returning n) select * from gone", "query-read-only"],
    ["truncate t", "query-read-only"],
    ["create table u ()", "query-read-only"],
    ["create temp table u ()", "query-read-only"],
    ["select * into u from t", "query-read-only"],
    ["drop table t", "query-read-only"],
    ["select add()", "query-read-only"],
    ["select nextval('s')", "query-read-only"],
    ["select * from t for update", "query-read-only"],
    ["explain analyze insert into t values (1)", "query-read-only"],
    ["call commit_and_add()", "query-statement"],
    ["do $$begin commit; insert into t values (4); end$$", "query-statement"],
    ["do $$begin set transaction read write; insert into t values (5); end$$", "query-statement"],
    [
      "do $$begin perform set_config('transaction_read_only', 'off', true); end$$",
      "query-statement",
    ],
    ["set transaction read write", "query-statement"],
    ["select 1; insert into t values (6)", "query-statement"],
    ["commit; insert into t values (7)", "query-statement"],
    ["copy t from stdin", "query-statement"],
    ["copy t to '/tmp/t'", "query-statement"],
    ["/* it */ COPY t to program 'true'", "query-statement"],
  ];
  for (const [statement, code] of statements) {
    assertEquals((await refusal(ask(statement))).code, code, statement);
  }
  assertEquals([...await sql`select n from t`], [{ n: 1 }]);
});

queryTest("the transaction of a statement is rolled back", async (ask, { sql }) => {
  const { rows } = await ask("select pg_current_xact_id()");
  const [transaction] = await sql`select pg_xact_status(${rows[0]![0]!}::xid8) as status`;
  assertEquals(transaction, { status: "aborted" });
});

queryTest(
  "what is wrong with a statement is said, with what the server hints",
  async (ask, { sql }) => {
    await sql.unsafe("create table t (price int)");
    const cases: readonly (readonly [statement: string, message: string, hint: string])[] = [
      [
        "selec 1",
        'syntax error at or near "selec" (SQLSTATE 42601)',
        "mend the statement there",
      ],
      [
        "select t.pric from t",
        "column t.pric does not exist (SQLSTATE 42703)",
        'Perhaps you meant to reference the column "t.price".',
      ],
      [
        "table nothing",
        'relation "nothing" does not exist (SQLSTATE 42P01)',
        "`pgsluice db psql` shows what there is, as with \\d user_events",
      ],
      [
        "select 1 / 0",
        "division by zero (SQLSTATE 22012)",
        "the statement, or a value that it met, is at fault",
      ],
      [
        "select 1; select 2",
        "there is more than one statement",
        "ask them one by one",
      ],
      ["-- nothing\n;", "the statement is empty", "as in --sql 'select count(*) from user_events'"],
      [
        "select $1::int, $2::int",
        "the statement has parameters ($1), but no values",
        "write the values into the statement",
      ],
      [
        "copy (select 1) to stdout",
        "copy is no question",
        "a select with --format csv gives the same rows; `pgsluice db psql` has \\copy",
      ],
    ];
    for (const [statement, message, hint] of cases) {
      const error = await refusal(ask(statement));
      assertEquals([error.code, error.message, error.hint], ["query-statement", message, hint]);
    }
  },
);

queryTest("an error after some rows is one, and the rows have come", async (ask) => {
  const rows: QueryRow[] = [];
  const error = await refusal(
    ask("select 1 / (1000 - n) from generate_series(1, 2000) n", {
      reader: {
        rows: (page) => {
          rows.push(...page);
          return true;
        },
      },
    }),
  );
  assertEquals([error.message, rows.length], ["division by zero (SQLSTATE 22012)", 500]);
});

queryTest("it is stopped when the server takes too long for the next rows", async (ask) => {
  const statements = [
    "select pg_sleep(60)",
    "select n, case when n > 600 then pg_sleep(60) end from generate_series(1, 2000) n",
  ];
  for (const statement of statements) {
    const stops: Error[] = [];
    await assertRejects(() => ask(statement, { timeoutMs: 200, stops }), Error);
    assertEquals(stops.map((stop) => stop instanceof PgsluiceError && stop.code), [
      "query-timeout",
    ]);
    assertEquals(
      stops[0]!.message,
      "the server took longer than 0.2 s for the next rows, and was told to stop",
    );
  }
});

queryTest("time that the reader takes is not the server's", async (ask) => {
  const stops: Error[] = [];
  const timeoutMs = 500;
  let readMs = 0;
  let rowCount = 0;
  await ask("select n from generate_series(1, 600) n", {
    timeoutMs,
    stops,
    reader: {
      async rows(page) {
        rowCount += page.length;
        const startMs = performance.now();
        while (readMs <= timeoutMs) {
          await new Promise((resolve) => setTimeout(resolve, timeoutMs / 10));
          readMs = performance.now() - startMs;
        }
        return true;
      },
    },
  });
  assertEquals([stops, rowCount], [[], 600]);
});

queryTest("a server that goes away is no fault of the statement", async (ask) => {
  const error = await assertRejects(
    () => ask("select pg_terminate_backend(pg_backend_pid())"),
    Error,
  );
  assertEquals([error instanceof PgsluiceError, isConnectionError(error)], [false, true]);
});
