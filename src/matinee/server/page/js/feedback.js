// What a person says of a film of the list: a rating, "not for me", "seen it"; all can be undone.

import { el, label, say } from "./dom.js";
import { forget, post } from "./api.js";

// The ratings that can be given on a scale; in halves where the ratings of the model have them.
export function marksOf([low, high], step = 1) {
  const span = high - low;
  const width = span > 10 ? Math.ceil(span / 10) : step;
  const marks = [];
  for (let value = Math.ceil(low / width) * width; value <= high + 1e-9; value += width) marks.push(value);
  return marks;
}

// The kinds of feedback that take a film out of the list: its button, and what is said afterwards.
export const HIDING = { seen: { words: "Seen it", done: "seen" }, hide: { words: "Hide", done: "hidden" }, dislike: { words: "Not for me", done: "not for you" } };

// The buttons of a row. `rate(item, value)` and `hide(item)` resolve when the list is to be made
// anew; value null takes a rating back.
export function actionsOf({ model, rate, hide }) {
  return (item) => el("div", { className: "acts" },
    el("select", { "aria-label": `Your rating of ${label(item)}`, onchange: (event) => rate(item, Number(event.target.value)) },
      el("option", { value: "" }, "Rate…"), marksOf(model.scale, model.rating_step).map((mark) => el("option", { value: mark }, `${mark} ★`))),
    Object.entries(HIDING).map(([kind, { words }]) => el("button", { type: "button", onclick: () => hide(item, kind) }, words, el("span", { className: "hidden" }, `: ${label(item)}`))));
}

// A line that says what was done, with a button that undoes it.
export function undoLine() {
  const line = el("p", { className: "undo", hidden: true });
  const done = (title, after, undo) => {
    line.hidden = false;
    line.replaceChildren(el("bdi", {}, title), after, " ", el("button", { type: "button", onclick: async () => {
      try {
        await undo();
        line.hidden = true;
        say("Undone");
      } catch (error) {
        line.replaceChildren(error.message);
      }
    } }, "Undo"));
    say(`${title}${after}`);
  };
  const failed = (error) => { line.hidden = false; line.replaceChildren(error.message); say(error.message); };
  return { line, done, failed };
}

// Store a row of feedback: a rating (null takes it back) or a kind. Throws the server's reason where
// it refuses.
export async function storeFeedback(user, item_id, row) {
  const { verdicts } = await post("/v1/feedback", { events: [{ user_id: user, item_id, ...row }] });
  if (verdicts[0].status !== "accepted") throw new Error(verdicts[0].reason);
  forget();
}
