// @ts-check
import { element } from "./element.js";

const STORED = "pgsluice-theme";

/**
 * Makes the switch work; the choice is kept in this browser.
 * @param {() => void} onChange what is drawn on canvases is to be drawn anew
 */
export function followTheme(onChange) {
  const root = document.documentElement;
  const choices = /** @type {HTMLInputElement[]} */ ([
    ...element("theme").querySelectorAll("input"),
  ]);
  const chosen = root.dataset.theme ?? "auto";
  for (const choice of choices) {
    choice.checked = choice.value === chosen;
    choice.addEventListener("change", () => {
      choose(choice.value);
      onChange();
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
}

/** @param {string} theme */
function choose(theme) {
  const root = document.documentElement;
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "auto") localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, theme);
  } catch {
    // where storage is forbidden the choice lasts as long as the page
  }
}
