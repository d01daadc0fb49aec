/** Control characters, line separators, and what turns the direction of writing. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The text with its control characters written as escapes (`\n`, `\u001b`), so that a file name or
 * a value from a CSV can neither break a line nor command the terminal.
 */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => {
    const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character];
    return short ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
