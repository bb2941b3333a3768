// Rows that move to their new places, so that the eye can follow them.

const TIME = 180; // milliseconds
const still = matchMedia("(prefers-reduced-motion: reduce)");

// Replace the rows of a list; those with the same data-id slide from where they were, and keep the
// keyboard's focus.
export function replaceRows(list, rows) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const own = focused?.closest("[data-id]")?.dataset.id;
  const before = new Map([...list.children].map((row) => [row.dataset.id, row.offsetTop]));
  list.replaceChildren(...rows);
  if (focused) (focused.isConnected ? focused : rows.find((row) => row.dataset.id === own)?.querySelector("button"))?.focus({ preventScroll: true });
  if (still.matches || !before.size) return;
  for (const row of rows) {
    const from = before.get(row.dataset.id);
    if (from === undefined) row.animate([{ opacity: 0 }, { opacity: 1 }], TIME);
    else if (from !== row.offsetTop) slide(row, from - row.offsetTop);
  }
}

// What is unfolded stands still: on wide screens it has a place of its own.
function slide(row, by) {
  for (const part of row.querySelectorAll(":scope > :not(.why)")) {
    part.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: TIME, easing: "ease-out" });
  }
}
