/** Comments of SQL, blanks, and semicolons that end nothing. */
const INSIGNIFICANT = /(?:\s|;|--[^\n]*(?:\n|$))+/y;
const WORD = /[a-z_]+/iy;

/**
 * The word that a statement begins with, in lower case; "" if it begins with something else; null
 * if there is no statement, only comments and blanks.
 */
export function firstKeyword(statement: string): string | null {
  let at = 0;
  for (;;) {
    INSIGNIFICANT.lastIndex = at;
    if (INSIGNIFICANT.test(statement)) at = INSIGNIFICANT.lastIndex;
    if (!statement.startsWith("/*", at)) break;
    at = endOfComment(statement, at);
  }
  if (at >= statement.length) return null;
  WORD.lastIndex = at;
  return WORD.exec(statement)?.[0].toLowerCase() ?? "";
}

/** Of one that begins at `at`; they nest. One without an end reaches to the statement's. */
function endOfComment(statement: string, at: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = at;
  let depth = 0;
  for (let mark = marks.exec(statement); mark !== null; mark = marks.exec(statement)) {
    depth += mark[0] === "/*" ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return statement.length;
}
