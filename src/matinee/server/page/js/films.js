// The rows of a list: a film, its stars, its reason, what one can say of it, and why it is there.

import { el, label, named, sentence } from "./dom.js";
import { answer } from "./answer.js";
import { bodyOf } from "./lists.js";
import { note } from "./state.js";

// The rows of `items`; `context` has who, options, model, and on request beside, ranks (by item id,
// of another list), open (an item id), kept (see openIn), onopen(item id) and actions (of an item: its
// buttons).
export function rowsOf(items, context) {
  return items.map((item) => row(item, context));
}

// What is unfolded in a list, by item id, for the rows that replace it: it stays, and is updated.
export function openIn(list) {
  const rows = [...list.children].filter((row) => row.querySelector(":scope > [aria-expanded=true]"));
  return new Map(rows.map((row) => [row.dataset.id, row.querySelector(":scope > .why")]));
}

export function stars(item, model) {
  return model.kind === "rating" ? `${item.predicted.toFixed(1)} ★` : item.score.toFixed(2);
}

function row(item, context) {
  const { who, options, model, beside, ranks, open, onopen, actions } = context;
  const kept = context.kept?.get(item.item_id);
  const why = kept ?? el("div", { className: "why", hidden: true });
  const because = item.why ? sentence(item.why, label(item)) : item.genres.join(", ");
  const button = el("button", { className: "plain", type: "button", "aria-expanded": String(Boolean(kept)) },
    el("span", { className: "film" },
      el("span", { className: "rank" }, String(item.rank)),
      el("span", { className: "title" }, named(item), ranks && rankChange(ranks.get(item.item_id), item.rank)),
      el("span", { className: "stars" }, stars(item, model)),
      el("span", { className: "because" }, because)));
  const reasons = () => answer(why, { who, model, beside, n: options.n, body: bodyOf(who, options, item.item_id, options.by || item.why?.by, beside) });
  const show = (opening) => {
    button.setAttribute("aria-expanded", String(opening));
    why.hidden = !opening;
    if (opening && !why.childElementCount) reasons();
  };
  button.addEventListener("click", () => {
    if (why.hidden) {
      if (oneAtATime.matches) closeOthers(button);
      onopen?.(item.item_id);
    }
    show(why.hidden);
    if (!beside) note({ item: why.hidden ? null : item.item_id });
  });
  if (kept) queueMicrotask(reasons);
  else if (open === item.item_id && !beside) queueMicrotask(() => show(true));
  return el("li", { "data-id": item.item_id }, button, actions && actions(item), why);
}

const oneAtATime = matchMedia("(min-width: 120rem)"); // where reasons stand beside the list, as in style.css

function closeOthers(button) {
  const rows = button.closest("ol");
  for (const other of rows.querySelectorAll(":scope > li > [aria-expanded=true]")) if (other !== button) other.click();
}

export function rankChange(before, now) {
  if (before === undefined || before === null) return el("span", { className: "moved-up" }, " new");
  if (before === now) return el("span", { className: "soft" }, " =");
  const up = before > now;
  return el("span", { className: up ? "moved-up" : "moved-down" }, up ? ` ▲ ${before - now}` : ` ▼ ${now - before}`,
    el("span", { className: "hidden" }, up ? " places up" : " places down"));
}
