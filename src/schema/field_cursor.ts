const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;

/**
 * Where a field is read: `bytes[at, end)`. One object is moved over all fields, so that reading
 * makes no garbage.
 */
export interface FieldCursor {
  bytes: Uint8Array;
  at: number;
  /** Nothing is read from here on. */
  end: number;
  /** True if `end` is where the field ends. Else it is somewhere behind that, to be found. */
  isEndKnown: boolean;
  /** True if the end is not known and a quote is it; else a comma or a line end is. */
  isQuoted: boolean;
}

/** Takes blanks and tabs off both ends. */
export function trimField(cursor: FieldCursor): void {
  const { bytes } = cursor;
  while (cursor.at < cursor.end && isBlank(bytes[cursor.at]!)) cursor.at++;
  while (cursor.end > cursor.at && isBlank(bytes[cursor.end - 1]!)) cursor.end--;
}

/** Whether the cursor's field ends at `at`, as far as that can be told. */
export function isFieldEnd({ bytes, end, isEndKnown, isQuoted }: FieldCursor, at: number): boolean {
  if (isEndKnown || at >= end) return isEndKnown && at === end;
  const byte = bytes[at]!;
  return isQuoted ? byte === QUOTE : byte === COMMA || byte === LF || byte === CR;
}

/** Whether a byte is content of any unquoted field. */
export function isPlainText(byte: number): boolean {
  return byte > COMMA || (byte >= BLANK && byte !== COMMA && byte !== QUOTE);
}

/** Whether a byte is content of any quoted field. */
export function isQuotedText(byte: number): boolean {
  return byte >= BLANK && byte !== QUOTE;
}

function isBlank(byte: number): boolean {
  return byte === BLANK || byte === TAB;
}
