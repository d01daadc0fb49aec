/**
 * A flat JSON object, read with the line of each key. `JSON.parse` tells no lines, takes a key that
 * is there twice, and quotes the text in its messages, which may hold a password.
 */

export type JsonScalar = string | number | boolean | null;

export interface JsonEntry {
  readonly key: string;
  readonly value: JsonScalar;
  /** Of the key, from 1. */
  readonly line: number;
}

/** The text is no flat JSON object. The message holds keys and no values. */
export class FlatJsonFault extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.name = "FlatJsonFault";
    this.line = line;
  }
}

interface Token {
  readonly kind: "mark" | "text" | "number" | "word" | "end" | "none";
  /** As written. */
  readonly text: string;
  readonly line: number;
}

/** Blanks, then a mark, a text, a number or a word of JSON, see RFC 8259. */
const TOKEN =
  /[ \t\r\n]*(?:([{}[\]:,])|("(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))|(true|false|null)(?!\w)|$)/uy;

/** @throws {FlatJsonFault} */
export function readFlatObject(text: string): JsonEntry[] {
  const next = tokens(text);
  const entries: JsonEntry[] = [];
  expectMark(next(), "{");
  let token = next();
  if (token.text !== "}") {
    for (;;) {
      entries.push(readEntry(token, { next, entries }));
      token = next();
      if (token.text === "}") break;
      expectMark(token, ", or }");
      token = next();
    }
  }
  const after = next();
  if (after.kind !== "end") throw new FlatJsonFault("something follows the closing }", after.line);
  return entries;
}

function readEntry(
  token: Token,
  { next, entries }: { next: () => Token; entries: readonly JsonEntry[] },
): JsonEntry {
  if (token.kind !== "text") throw fault(token, "a key in double quotes");
  const key: string = JSON.parse(token.text);
  const { line } = token;
  const before = entries.find((entry) => entry.key === key);
  if (before !== undefined) {
    throw new FlatJsonFault(`${key} is there already, on line ${before.line}`, line);
  }
  expectMark(next(), ":");
  const value = next();
  if (value.kind === "mark" || value.kind === "end" || value.kind === "none") {
    throw fault(value, `${key} to be a text in double quotes, a number, true or false`);
  }
  return { key, value: JSON.parse(value.text), line };
}

/** Hands out one token a call; past the end always the end. */
function tokens(text: string): () => Token {
  const kinds = ["mark", "text", "number", "word"] as const;
  let offset = 0;
  let line = 1;
  return () => {
    TOKEN.lastIndex = offset;
    const match = TOKEN.exec(text);
    const blanks = /^[ \t\r\n]*/.exec(match?.[0] ?? text.slice(offset))![0];
    line += blanks.split("\n").length - 1;
    if (match === null) return { kind: "none", text: "", line };
    offset = TOKEN.lastIndex;
    const group = match.slice(1).findIndex((part) => part !== undefined);
    return group === -1
      ? { kind: "end", text: "", line }
      : { kind: kinds[group]!, text: match[group + 1]!, line };
  };
}

function expectMark(token: Token, marks: string): void {
  if (token.kind !== "mark" || !marks.split(" or ").includes(token.text)) throw fault(token, marks);
}

/** Names what is there by its kind only: a value is nobody's business. */
function fault({ kind, text, line }: Token, expected: string): FlatJsonFault {
  const got = {
    mark: text === "{" ? "an object" : text === "[" ? "an array" : text,
    text: "a text",
    number: "a number",
    word: text,
    end: "the end of the file",
    none: "what is no JSON",
  }[kind];
  return new FlatJsonFault(`expected ${expected}, got ${got}`, line);
}
