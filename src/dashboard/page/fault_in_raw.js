// @ts-check
/** As `src/schema/reject_reason.ts` words it: `price is "12.554": expected …`. */
const QUOTED_VALUE = /^\S+ is ("(?:[^"\\]|\\.)*"): /;
/** What a reason shows of a value that is longer ends in it. */
const CUT = "…";
/** What a field begins behind and ends before, whatever the delimiter. */
const BETWEEN_FIELDS = /[\s,;|"]/;

/**
 * Where in a raw record the value is that its reason complains of, so that it can be marked. Null
 * unless it is exactly one of the fields.
 * @param {string} reason
 * @param {string} raw
 * @returns {{ start: number, end: number } | null} half-open, in UTF-16 units
 */
export function faultInRaw(reason, raw) {
  const match = QUOTED_VALUE.exec(reason);
  if (match === null) return null;
  const told = unquote(/** @type {string} */ (match[1]));
  const isCut = told.endsWith(CUT);
  const value = isCut ? told.slice(0, -CUT.length) : told;
  if (value === "") return null;
  /** @type {{ start: number, end: number } | null} */
  let found = null;
  for (let start = raw.indexOf(value); start >= 0; start = raw.indexOf(value, start + 1)) {
    const end = start + value.length;
    const begins = start === 0 || BETWEEN_FIELDS.test(raw.charAt(start - 1));
    const ends = isCut || end === raw.length || BETWEEN_FIELDS.test(raw.charAt(end));
    if (!begins || !ends) continue;
    if (found !== null) return null;
    found = { start, end };
  }
  return found;
}

/** @param {string} quoted */
function unquote(quoted) {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return "";
  }
}
