// @ts-check

/**
 * What pgsluice says of an error, as a sentence: with a capital and an end.
 * @param {string} text
 */
export function asSentence(text) {
  if (text === "") return "";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
