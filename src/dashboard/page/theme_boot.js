// @ts-check
// Before the first paint, so that nobody is blinded by the other theme: a classic script, in <head>.
(() => {
  try {
    const theme = localStorage.getItem("pgsluice-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // storage may be forbidden; the system's theme will do
  }
})();
