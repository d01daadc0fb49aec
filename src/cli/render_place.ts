import type { StatementPlace } from "../query/statement_place.ts";
import { displayWidth } from "./display_width.ts";
import { escapeControls } from "../escape_controls.ts";
import { fitWidth } from "./fit_width.ts";

/** Of what stands before the place, shown at least where the line is cut. */
const MIN_BEFORE = 20;

/** The line, and below it a caret at the place; cut on both sides to fit `maxWidth` columns. */
export function renderPlace({ text, character }: StatementPlace, maxWidth: number): string {
  // a tab would be of any width
  const characters = [...text.replaceAll("\t", " ")].map(escapeControls);
  const place = character - 1;
  const widthUpTo = (from: number) => displayWidth(characters.slice(from, place).join(""));
  let from = 0;
  const most = Math.max(MIN_BEFORE, Math.floor(maxWidth / 2));
  if (displayWidth(characters.join("")) > maxWidth) {
    while (widthUpTo(from) > most) from++;
  }
  const cut = from === 0 ? "" : "…";
  const line = fitWidth(cut + characters.slice(from).join(""), maxWidth);
  return `${line}\n${" ".repeat(displayWidth(cut) + widthUpTo(from))}^`;
}
