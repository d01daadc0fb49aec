/**
 * Where `@std/csv` accepts the input, the scanner finds the same fields, but for the differences
 * listed here; README has the list for people ("Where pgsluice reads CSV otherwise than @std/csv").
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parse } from "@std/csv";
import type { Random } from "../../src/generate/random.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { fuzz, isUsualFuzz } from "../support/fuzz.ts";
import { mutatedCsv, randomBytes } from "../support/mutated_csv.ts";
import { decodeCsv } from "../schema/decode_csv.ts";
import { LATIN1, scanAll, type ScanAllOptions } from "./scan_all.ts";

const MALFORMED = "malformed";

/** As `@std/csv` is best read from a file; a mark at the begin is left to it. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const TO_UTF8 = new TextEncoder();

/** The fields of each record, as text; of a malformed line that it is one. */
function scanText(bytes: Uint8Array, options: ScanAllOptions = {}): (string[] | string)[] {
  const found = scanAll(bytes, { ...options, decoder: UTF8 });
  return found.map(({ fields }) => fields === undefined ? MALFORMED : [...fields]);
}

interface Difference {
  /** As in README. */
  readonly name: string;
  readonly why: string;
  readonly example: string;
  readonly std: readonly (readonly string[])[] | "refused";
  readonly pgsluice: readonly (readonly string[] | string)[];
  readonly maxRecordBytes?: number;
}

const DIFFERENCES: readonly Difference[] = [
  {
    name: "a CRLF inside quotes stays one",
    why: "it is content, which RFC 4180 lets nobody change; @std/csv makes it LF",
    example: 'a,"two\r\nlines"\r\n',
    std: [["a", "two\nlines"]],
    pgsluice: [["a", "two\r\nlines"]],
  },
  {
    name: "a line of CRs alone is empty",
    why: "files that were converted twice have them by the thousand; @std/csv reads a field of CRs",
    example: "a\n\r\r\nb\n",
    std: [["a"], ["\r"], ["b"]],
    pgsluice: [["a"], ["b"]],
  },
  {
    name: "a record has a longest length",
    why: "so that a forgotten quote takes neither the memory nor the rest of the file",
    example: "a,b\n123456789\nc,d\n",
    maxRecordBytes: 8,
    std: [["a", "b"], ["123456789"], ["c", "d"]],
    pgsluice: [["a", "b"], MALFORMED, ["c", "d"]],
  },
  {
    name: "a quote inside an unquoted field is itself",
    why: 'shops sell 5" lamps; @std/csv refuses the whole input',
    example: 'a,5" lamp\nb,c\n',
    std: "refused",
    pgsluice: [["a", '5" lamp'], ["b", "c"]],
  },
  {
    name: "text after a closing quote rejects its line",
    why: "the lines around are sound; @std/csv refuses the whole input",
    example: 'a,"b"c\nd,e\n',
    std: "refused",
    pgsluice: [MALFORMED, ["d", "e"]],
  },
  {
    name: "a quote that is never closed rejects its line",
    why: "the lines after it are sound; @std/csv refuses the whole input",
    example: 'a,"b\nc,d\n',
    std: "refused",
    pgsluice: [MALFORMED, ["c", "d"]],
  },
];

Deno.test("where the scanner reads otherwise than @std/csv, it does so as listed", async (t) => {
  for (const { name, example, std, pgsluice, maxRecordBytes } of DIFFERENCES) {
    await t.step(name, () => {
      if (std === "refused") assertThrows(() => parse(example), SyntaxError);
      else assertEquals(parse(example), std);
      const options = maxRecordBytes === undefined ? {} : { maxRecordBytes };
      assertEquals(scanText(TO_UTF8.encode(example), options), pgsluice);
    });
  }
});

/** Records that are no text of PostgreSQL; the scanner passes them on, the decoder rejects them. */
const NO_TEXT: { name: string; field: Uint8Array; std: string; code: string }[] = [
  {
    name: "bytes that are not UTF-8 reject their record; decoded beforehand they are replaced",
    field: Uint8Array.of(0x61, 0xff),
    std: "a\ufffd",
    code: "invalid_utf8",
  },
  {
    name: "a NUL rejects its record",
    field: Uint8Array.of(0x61, 0),
    std: "a\0",
    code: "nul_byte",
  },
];

Deno.test("what @std/csv takes as text and PostgreSQL does not is one reject", async (t) => {
  for (const { name, field, std, code } of NO_TEXT) {
    await t.step(name, () => {
      const before = "price,user_id,product_id,event_type,event_time,category\n" +
        "1,1,1,view,2026-03-14T10:00:00Z,";
      const bytes = new Uint8Array([...TO_UTF8.encode(before), ...field, 0x0a]);
      assertEquals(parse(new TextDecoder().decode(bytes))[1]![5], std);
      const { rejects } = decodeCsv(bytes, { schema: USER_EVENTS });
      assertEquals(rejects.map((reject) => reject?.code), [code]);
    });
  }
});

/** Rows of odd fields, right quoting as a rule, or anything. */
function oddText(random: Random): Uint8Array {
  if (random.below(4) === 0) return mutatedCsv(random, { records: 1 + random.below(5) });
  if (random.below(4) === 0) return randomBytes(random, { most: 40 });
  const newline = random.pick(["\n", "\r\n"]);
  const pieces = [
    "a",
    "b",
    " ",
    "'",
    ",",
    '"',
    "\n",
    "\r\n",
    "\r",
    "é",
    "\u{1f6cb}",
    "\0",
    "\ufeff",
  ];
  const rows = Array.from({ length: 1 + random.below(5) }, () => {
    if (random.below(12) === 0) return random.pick(["", "\r", "\r\r", '""']);
    return Array.from({ length: 1 + random.below(4) }, () => {
      const field = Array.from({ length: random.below(5) }, () => random.pick(pieces)).join("");
      const mustQuote = /[",\n\r]/.test(field);
      const isQuoted = mustQuote ? random.below(30) > 0 : random.below(3) === 0;
      return isQuoted ? `"${field.replaceAll('"', '""')}"` : field;
    }).join(",");
  });
  const mark = random.below(10) === 0 ? "\ufeff" : "";
  return TO_UTF8.encode(mark + rows.join(newline) + random.pick([newline, newline, "", "\r"]));
}

function isOnlyCr(record: readonly string[] | string): boolean {
  return typeof record !== "string" && record.length === 1 && /^\r+$/.test(record[0]!);
}

/** As `@std/csv` has them, which leaves no CRLF in a field. */
function withLf(records: readonly (string[] | string)[]): (string[] | string)[] {
  return records.map((record) =>
    typeof record === "string" ? record : record.map((field) => field.replaceAll("\r\n", "\n"))
  );
}

Deno.test("the scanner agrees with @std/csv where that accepts the input", async () => {
  const met = { accepted: 0, crlf: 0, onlyCr: 0 };
  await fuzz(5_000, (random) => {
    const bytes = oddText(random);
    let expected: string[][];
    try {
      expected = parse(UTF8.decode(bytes));
    } catch (error) {
      // not UTF-8, or refused
      assert(error instanceof TypeError || error instanceof SyntaxError, String(error));
      return;
    }
    met.accepted++;
    const most = random.pick([1, 8, 200]);
    const found = scanText(bytes, { chunkBytes: () => 1 + random.below(most) });
    // a field of CRs that was quoted is a record to both, and is left out here on both sides
    assertEquals(
      withLf(found).filter((record) => !isOnlyCr(record)),
      expected.filter((record) => !isOnlyCr(record)),
      JSON.stringify(LATIN1.decode(bytes)),
    );
    if (found.flat().some((field) => field.includes("\r\n"))) met.crlf++;
    if (expected.some(isOnlyCr)) met.onlyCr++;
  });
  if (!isUsualFuzz()) return;
  assert(met.accepted > 2_500 && met.crlf > 100 && met.onlyCr > 100, JSON.stringify(met));
});
