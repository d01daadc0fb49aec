/**
 * Text as the man(7) macros of roff take it, for groff and mandoc alike: nothing of it is read as a
 * request or an escape, and what people copy is the ASCII that it was.
 */

/** What roff has a name for, because it would show another character. */
const NAMES: Readonly<Record<string, string>> = {
  "\\": "\\(rs",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  '"': "\\(dq",
};

/** One line of text. A line that would begin like a request begins with nothing instead. */
export function roffText(text: string): string {
  const escaped = text.replace(/[\\'`^~"-]/g, (character) => NAMES[character]!)
    .replace(/[^\n\x20-\x7e]/gu, (character) => `\\[u${codePoint(character)}]`);
  return escaped.startsWith(".") ? `\\&${escaped}` : escaped;
}

/** One argument of a macro. */
export function roffArgument(text: string): string {
  return `"${roffText(text)}"`;
}

/** Bold, for what is typed as it stands. */
export function roffBold(text: string): string {
  return text === "" ? "" : `\\fB${roffText(text)}\\fR`;
}

/** Italic, for what stands for something else, as in `[DIR|-]`. */
export function roffItalic(text: string): string {
  return text === "" ? "" : `\\fI${roffText(text)}\\fR`;
}

/** Paragraphs, which are filled; lines that begin with a blank stay as they are. */
export function roffParagraphs(text: string): string {
  const blocks = text.trim().split(/\n{2,}/).map((block) => {
    const lines: string[] = [];
    let isVerbatim = false;
    for (const line of block.split("\n")) {
      if (line.startsWith(" ") !== isVerbatim) lines.push(isVerbatim ? ".EE" : ".EX");
      isVerbatim = line.startsWith(" ");
      lines.push(roffText(line));
    }
    if (isVerbatim) lines.push(".EE");
    return lines.join("\n");
  });
  return blocks.map((block) => `${block}\n`).join(".PP\n");
}

function codePoint(character: string): string {
  return character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
}
