import { displayWidth } from "./display_width.ts";

export interface Entry {
  readonly name: string;
  /** Paragraphs, each of which begins a line. */
  readonly texts: readonly string[];
}

/** Names at the left, and at their right texts wrapped to fit `maxWidth` columns. */
export function renderEntries(entries: readonly Entry[], maxWidth: number): string {
  const indentWidth = 2 +
    entries.reduce((widest, { name }) => Math.max(widest, displayWidth(name)), 0);
  return entries.map(({ name, texts }) => {
    const lines = texts.flatMap((text) => wrapWords(text, maxWidth - indentWidth));
    return lines.map((line, index) => {
      const head = index === 0 ? name : "";
      return `${head}${" ".repeat(indentWidth - displayWidth(head))}${line}\n`;
    }).join("");
  }).join("");
}

/** Lines of at most `width` columns; a word that is wider stands alone. */
function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && displayWidth(`${line} ${word}`) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
