// @ts-check
/** As `src/cli/escape_controls.ts`: control characters, and what turns the direction of writing. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** @type {Readonly<Record<string, string>>} */
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * The text with its control characters written as escapes (`\n`, `\u001b`), so that a file name or
 * a value from a CSV can neither hide nor pose as another. To be inserted as text all the same.
 * @param {string} text
 */
export function safeText(text) {
  return text.replace(
    CONTROLS,
    (character) =>
      SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
