// @ts-check

/**
 * What can be scrolled sideways can be reached by keys, for as long as there is something to scroll.
 */
export function reachableByKeys() {
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) update(target.closest(".scroll"));
  });
  for (const scroll of document.querySelectorAll(".scroll")) {
    observer.observe(scroll);
    const content = scroll.firstElementChild;
    if (content !== null) observer.observe(content);
  }
}

/** @param {Element | null} scroll */
function update(scroll) {
  if (scroll === null) return;
  const isLarger = scroll.scrollWidth > scroll.clientWidth ||
    scroll.scrollHeight > scroll.clientHeight;
  if (isLarger) scroll.setAttribute("tabindex", "0");
  else scroll.removeAttribute("tabindex");
}
