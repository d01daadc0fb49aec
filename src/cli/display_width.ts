/** Combining marks, joiners and variation selectors stand on the character before them. */
const ZERO_WIDTH = /[\p{Mn}\p{Me}\u200b-\u200d\u2060\ufe00-\ufe0f]/u;

const DOUBLE_WIDTH =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;

/**
 * How many columns of a terminal the text takes. By Unicode property, so right for the scripts
 * people use and for plain emoji; terminals themselves disagree about joined ones.
 */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    // the common case first: printable ASCII
    if (character >= " " && character <= "~") width++;
    else if (!ZERO_WIDTH.test(character)) width += DOUBLE_WIDTH.test(character) ? 2 : 1;
  }
  return width;
}
