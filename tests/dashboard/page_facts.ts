/** What a page may be told, made up for its tests: a shop's day as it was, and what can go wrong. */
import type {
  Pulse,
  ReportFacts,
  Reports,
  Totals,
  Trouble,
} from "../../src/dashboard/dashboard_facts.ts";
import { Random } from "../../src/generate/random.ts";
import type { ReportValue } from "../../src/query/report.ts";

/** The newest event's minute is over then: times of events are history. */
export const UNTIL_MS = Date.UTC(2026, 2, 15, 10, 23);
export const DAY_MS = 24 * 60 * 60 * 1000;
const MINUTE_MS = 60_000;

/** Views in an hour, as shops have them. */
const RHYTHM = [15, 10, 7, 5, 5, 8, 15, 26, 28, 37, 42, 45, 48, 44, 41, 39, 40, 44, 52, 60, 58, 46]
  .concat([34, 23]);

export function pulseFacts(change: Partial<Pulse> = {}): Pulse {
  const atMs = change.atMs ?? Date.now();
  const random = new Random(Math.floor(atMs / 1000), 0);
  return {
    atMs,
    pipeline: pipelineFacts({ lastBatchAtMs: atMs - 200 }),
    otherNames: [],
    standbys: 0,
    past: Array.from({ length: 60 }, (_, index) => {
      const records = Math.round(
        2_000 + 260 * Math.sin((index + atMs / 1000) / 6) + 90 * random.fraction(),
      );
      return {
        records,
        sizeBytes: records * 119,
        rejected: Math.round(records * 0.02),
        duplicate: Math.round(records * 0.01),
        batches: 9,
      };
    }),
    viewers: 1,
    ...change,
  };
}

export function pipelineFacts(
  change: Partial<NonNullable<Pulse["pipeline"]>> = {},
): NonNullable<Pulse["pipeline"]> {
  return {
    name: "default",
    sourceKind: "folder",
    sourcePath: "/srv/shop/data/events",
    targetTable: `"user_events"`,
    timeZone: "Europe/Berlin",
    hasOwner: true,
    lastBatchAtMs: Date.now(),
    activity: "loading",
    ...change,
  };
}

export const NOTHING_PAST: Pulse["past"] = Array.from({ length: 60 }, () => ({
  records: 0,
  sizeBytes: 0,
  rejected: 0,
  duplicate: 0,
  batches: 0,
}));

export function totalsFacts(change: Partial<Totals> = {}): Totals {
  const lookedAtMs = change.lookedAtMs ?? Date.now();
  return {
    lookedAtMs,
    loaded: 1_164_302,
    rejected: 23_920,
    duplicate: 11_778,
    committedBytes: 142_800_000,
    filesByState: { open: 1, done: 5_970, failed: 1, held: 1, same: 2 },
    latency: { files: 612, p50Ms: 17.4, p95Ms: 148.2, p99Ms: 323 },
    backlog: { files: 3, sizeBytes: 48_200, oldestChangeMs: lookedAtMs - 400 },
    backlogUnknown: null,
    arrivedBytesPerSecond: 238_400,
    recentBatches: {
      batches: 100,
      meanRecords: 220,
      connections: 2,
      stages: [
        { stage: "read", meanMs: 0.9, share: 0.05 },
        { stage: "decode", meanMs: 1.4, share: 0.08 },
        { stage: "queue", meanMs: 0.3, share: 0.02 },
        { stage: "copy", meanMs: 8.6, share: 0.47 },
        { stage: "turn", meanMs: 0.4, share: 0.02 },
        { stage: "ledger", meanMs: 3.3, share: 0.18 },
        { stage: "commit", meanMs: 3.3, share: 0.18 },
      ],
    },
    ...change,
  };
}

export const NO_TOTALS: Totals = totalsFacts({
  loaded: 0,
  rejected: 0,
  duplicate: 0,
  committedBytes: 0,
  filesByState: {},
  latency: null,
  backlog: { files: 0, sizeBytes: 0, oldestChangeMs: null },
  arrivedBytesPerSecond: 0,
  recentBatches: null,
});

export function answer(
  columns: readonly string[],
  rows: readonly (readonly ReportValue[])[],
  { sinceMs = null, untilMs = null }: { sinceMs?: number | null; untilMs?: number | null } = {},
): ReportFacts {
  return { lookedAtMs: Date.now(), tookMs: 12.3, sinceMs, untilMs, columns, rows };
}

export const REPORT_COLUMNS = {
  traffic: ["minute", "events", "views", "purchases", "units", "revenue", "order_value"],
  hours: ["hour", "events", "views", "purchases", "conversion", "revenue"],
  funnel: ["stage", "users", "ratio", "median_ms", "p95_ms"],
  top: ["product", "name", "revenue", "units", "purchases", "viewers", "conversion"],
  rejects: [
    "reason",
    "rejects",
    "open",
    "share",
    "first_at",
    "last_at",
    "last_file",
    "last_line",
    "last_reason",
    "last_record",
  ],
  reject_lines: ["rejected_at", "file", "line", "column", "code", "reason", "raw"],
  files: [
    "path",
    "generation",
    "state",
    "reason",
    "loaded",
    "rejected",
    "duplicate",
    "committed_bytes",
    "size_bytes",
    "updated_at",
  ],
  batches: [
    "committed_at",
    "files",
    "loaded",
    "rejected",
    "duplicate",
    "bytes",
    "route",
    "elapsed_ms",
  ],
} as const;

/** @param untilMs end of the window, a whole minute */
export function trafficReport(untilMs = UNTIL_MS, seed = 7): ReportFacts {
  const random = new Random(seed, 0);
  const sinceMs = untilMs - DAY_MS;
  const rows: ReportValue[][] = [];
  for (let minuteMs = sinceMs; minuteMs < untilMs; minuteMs += MINUTE_MS) {
    const hour = new Date(minuteMs).getUTCHours();
    const views = Math.round(RHYTHM[hour]! * (0.6 + 0.8 * random.fraction()));
    const purchases = Math.round(views * 0.11 * 2 * random.fraction());
    const cents = Math.round(purchases * (2_000 + 9_000 * random.fraction()));
    rows.push([
      new Date(minuteMs).toISOString().replace(".000Z", "Z"),
      views + purchases,
      views,
      purchases,
      purchases,
      decimal(cents),
      purchases === 0 ? null : decimal(Math.round(cents / purchases)),
    ]);
  }
  return answer(REPORT_COLUMNS.traffic, rows, { sinceMs, untilMs });
}

function decimal(cents: number): string {
  return (cents / 100).toFixed(2);
}

const PRODUCTS = [
  "Handmade Granite Chair, set of 2",
  'Curved Monitor 27", curved',
  "Ølga's Rustic Bronze Lamp für Zuhause",
  "Sleek Bamboo Keyboard",
  "½-price Modern Steel Shoes n° 5, édition limitée",
  "کتاب آموزش زبان فارسی",
  "Refined Cotton Towels 日本製",
  "Electronic Ceramic Hat 🎁",
  "Gorgeous Wooden Pizza Table, 12 x 18 cm, blue",
  '"Original" Practical Rubber Ball',
  "Fresh Soap",
  "Unbranded Gloves",
];

export function rejectLine(index: number, change: Record<string, ReportValue> = {}): ReportValue[] {
  const kinds = [
    [
      "price",
      "out_of_range",
      'price is "10000000000": expected a number of 0 or more',
      "10000000000",
    ],
    [
      null,
      "malformed_quote",
      "text follows a closing quote; a quote inside a quoted field is written twice",
      '"19" rack"',
    ],
    [
      "event_id",
      "bad_uuid",
      'event_id is "not-a-uuid": expected 32 hexadecimal digits as 8-4-4-4-12',
      "",
    ],
    ["event_timestamp", "missing_value", "event_timestamp is empty, and it is required", ""],
    [
      "quantity",
      "bad_number",
      'quantity is "twelve": expected a whole number of 1 or more',
      "twelve",
    ],
  ] as const;
  const [column, code, reason, value] = kinds[index % kinds.length]!;
  const row: Record<string, ReportValue> = {
    rejected_at: new Date(Date.now() - index * 1_700).toISOString(),
    file: `events-${String(5_970 - index).padStart(8, "0")}.csv`,
    line: 17 + index * 13,
    column,
    code,
    reason,
    raw:
      `0195973d-4f2${index},2026-03-15T10:0${index % 10}:11.52Z,purchase,8${index}127,55${index},` +
      `Sleek Bamboo Keyboard,Electronics,${value || "49.90"},${code === "bad_number" ? value : 1}`,
    ...change,
  };
  return REPORT_COLUMNS.reject_lines.map((name) => row[name] ?? null);
}

export function fileRow(index: number, change: Record<string, ReportValue> = {}): ReportValue[] {
  const row: Record<string, ReportValue> = {
    path: `events-${String(5_970 - index).padStart(8, "0")}.csv`,
    generation: 1,
    state: "done",
    reason: null,
    loaded: 194,
    rejected: 4,
    duplicate: 2,
    committed_bytes: 23_830,
    size_bytes: 23_830,
    updated_at: new Date(Date.now() - index * 100).toISOString(),
    ...change,
  };
  return REPORT_COLUMNS.files.map((name) => row[name] ?? null);
}

export function batchRow(index: number, atMs = Date.now()): ReportValue[] {
  const loaded = 194 + index % 7;
  return [
    new Date(atMs - index * 110).toISOString(),
    1 + index % 2,
    loaded,
    4,
    2,
    loaded * 121,
    index % 5 === 3 ? "split" : "copy",
    11.4 + index,
  ];
}

/** All reports of a day that went as days go. */
export function dayReports(change: Reports = {}): Reports {
  const hourMs = 60 * MINUTE_MS;
  const lastHour = { sinceMs: UNTIL_MS - hourMs, untilMs: UNTIL_MS };
  const counts = [8_412, 3_920, 3_310, 2_766, 2_100, 1_402, 950, 640, 300, 118, 1];
  const codes = [
    ["out_of_range", 'price is "10000000000": expected a number of 0 or more with 2 decimals'],
    ["malformed_quote", "text follows a closing quote; a quote inside a quoted field is doubled"],
    ["bad_uuid", 'event_id is "not-a-uuid": expected 32 hexadecimal digits as 8-4-4-4-12'],
    ["missing_value", "event_timestamp is empty, and it is required"],
    ["bad_timestamp", 'event_timestamp is "24.11.2026 19:38": expected ISO 8601 or epoch'],
    ["bad_number", 'quantity is "twelve": expected a whole number of 1 or more'],
    ["too_many_decimals", 'price is "12.554": expected a number of 0 or more with 2 decimals'],
    ["invalid_utf8", "category is not UTF-8"],
    ["nul_byte", "the record contains a NUL byte"],
    ["short_record", "the record has 5 fields, the header 9"],
    ["open_quote", "a quoted field is not closed before the end"],
  ] as const;
  return {
    traffic: trafficReport(),
    hours: answer(
      REPORT_COLUMNS.hours,
      RHYTHM.map((share, hour) => {
        const views = share * 430;
        const purchases = Math.round(views * (0.09 + hour / 400));
        return [
          hour,
          views + purchases,
          views,
          purchases,
          purchases / views,
          `${purchases * 61}.40`,
        ];
      }),
      { sinceMs: UNTIL_MS - 7 * DAY_MS, untilMs: UNTIL_MS },
    ),
    funnel: answer(
      REPORT_COLUMNS.funnel,
      [
        ["viewed", 2_871, null, null, null],
        ["purchased", 412, 412 / 2871, 754_000, 2_460_000],
        ["purchased again", 61, 61 / 412, 1_320_000, 3_180_000],
      ],
      lastHour,
    ),
    top: answer(
      REPORT_COLUMNS.top,
      PRODUCTS.map((name, index) => [
        String(5_000 + index * 31),
        name,
        decimal(Math.round(412_900 / (1 + index * 0.35))),
        42 - index,
        30 - index,
        210 - index * 11,
        0.14 - index * 0.006,
      ]),
      lastHour,
    ),
    rejects: answer(
      REPORT_COLUMNS.rejects,
      codes.map(([code, reason], index) => [
        code,
        counts[index]!,
        counts[index]!,
        counts[index]! / 1_200_000,
        "2026-11-26T18:00:00Z",
        "2026-11-26T18:30:00Z",
        "events-00005970.csv",
        71,
        reason,
        "…",
      ]),
    ),
    reject_lines: answer(
      REPORT_COLUMNS.reject_lines,
      Array.from({ length: 12 }, (_, index) => rejectLine(index)),
    ),
    files: answer(REPORT_COLUMNS.files, [
      fileRow(900, {
        path: "upload/2026-03-14 export.csv",
        state: "failed",
        reason: "the header has no column for event_type, user_id and price: is it an export of " +
          "another system?",
        loaded: 0,
        rejected: 0,
        duplicate: 0,
        committed_bytes: 0,
        size_bytes: 1_204_000,
      }),
      fileRow(420, {
        path: "events-00005310.csv",
        generation: 2,
        state: "held",
        reason:
          "it was replaced by other content after it was read; `pgsluice files reload` or accept",
      }),
      ...Array.from(
        { length: 14 },
        (_, index) => fileRow(index, index === 0 ? { state: "open", committed_bytes: 11_020 } : {}),
      ),
    ]),
    batches: answer(
      REPORT_COLUMNS.batches,
      Array.from({ length: 14 }, (_, index) => batchRow(index)),
    ),
    ...change,
  };
}

/** Of a pipeline that has loaded nothing yet. */
export const NO_REPORTS: Reports = Object.fromEntries(
  Object.entries(REPORT_COLUMNS).map(([name, columns]) => [name, answer(columns, [])]),
);

export function troubleFacts(change: Partial<Trouble> = {}): Trouble {
  const atMs = Date.now();
  return {
    atMs,
    sinceMs: atMs - 74_000,
    code: "database-unreachable",
    message: "cannot reach PostgreSQL at 127.0.0.1:5432: connection refused",
    hint: "start it, or see whether --database says where it is",
    ...change,
  };
}
