/** Where in a statement the server found something wrong. */
export interface StatementPlace {
  /** 1-based. */
  readonly line: number;
  /** Of the line, 1-based, in characters as the server counts them: code points. */
  readonly character: number;
  /** The line itself. */
  readonly text: string;
}

/**
 * @param position as in the server's error, 1-based in code points
 * @returns undefined if the server did not say it, or it lies outside
 */
export function statementPlace(
  statement: string,
  position: string | undefined,
): StatementPlace | undefined {
  const index = Number(position) - 1;
  // after the last character too: that the statement ends there may be what is wrong
  const characters = [...statement];
  if (!(index >= 0 && index <= characters.length)) return undefined;
  const before = characters.slice(0, index).join("");
  const lineStart = before.lastIndexOf("\n") + 1;
  const lineEnd = statement.indexOf("\n", before.length);
  return {
    line: before.split("\n").length,
    character: [...before.slice(lineStart)].length + 1,
    text: statement.slice(lineStart, lineEnd === -1 ? undefined : lineEnd).replace(/\r$/, ""),
  };
}
