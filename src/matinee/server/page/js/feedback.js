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

// The buttons of a row. `rate(item, value)` and `hide(item)` resolve when the list is to be made
// anew; value null takes a rating back.
export function actionsOf({ model, rate, hide }) {
  return (item) => el("div", { className: "acts" },
    el("select", { "aria-label": `Your rating of ${label(item)}`, onchange: (event) => rate(item, Number(event.target.value)) },
      el("option", { value: "" }, "Rate…"), marksOf(model.scale, model.rating_step).map((mark) => el("option", { value: mark }, `${mark} ★`))),
    el("button", { type: "button", onclick: () => hide(item, "seen") }, "Seen it", el("span", { className: "hidden" }, `: ${label(item)}`)),
    el("button", { type: "button", onclick: () => hide(item, "hidden") }, "Hide", el("span", { className: "hidden" }, ` ${label(item)}`)));
}

// A line that says what was done, with a button that undoes it.
export function undoLine() {
  const line = el("p", { className: "undo", hidden: true });
  const done = (words, undo) => {
    line.hidden = false;
    line.replaceChildren(words, " ", el("button", { type: "button", onclick: async () => {
      try {
        await undo();
        line.hidden = true;
        say("Undone");
      } catch (error) {
        line.replaceChildren(error.message);
      }
    } }, "Undo"));
    say(words);
  };
  const failed = (error) => { line.hidden = false; line.replaceChildren(error.message); say(error.message); };
  return { line, done, failed };
}

// Store a rating; null takes it back. Throws with the server's reason where it refuses.
export async function storeRating(user, item_id, rating) {
  const { verdicts } = await post("/v1/feedback", { events: [{ user_id: user, item_id, rating }] });
  if (verdicts[0].status !== "accepted") throw new Error(verdicts[0].reason);
  forget();
}
