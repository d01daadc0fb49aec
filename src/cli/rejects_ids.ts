import { usageError } from "./usage_error.ts";

/** The ids of rejects that the arguments are, each once. @throws PgsluiceError `usage` */
export function rejectIds(positionals: readonly string[]): number[] {
  const wrong = positionals.find((text) => !/^[1-9]\d{0,14}$/.test(text));
  if (wrong !== undefined) {
    throw usageError(
      `${JSON.stringify(wrong)} is no reject's id: expected a whole number such as 7`,
      "`pgsluice rejects list` shows the ids",
    );
  }
  return [...new Set(positionals.map(Number))];
}
