import { displayWidth } from "./display_width.ts";

/** The text cut to at most `width` columns of a terminal, with `…` where something is missing. */
export function fitWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  let keptWidth = 0;
  for (const character of text) {
    keptWidth += displayWidth(character);
    if (keptWidth > width - 1) break;
    kept += character;
  }
  return width < 1 ? "" : `${kept}…`;
}
