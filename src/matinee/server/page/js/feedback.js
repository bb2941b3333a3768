// What a person says of a film of the list: a rating, "not for me", "seen it"; all can be undone.

import { el, isolate, label, say } from "./dom.js";
import { forget, post } from "./api.js";

// The ratings that can be given on a scale: multiples of the step of the model's ratings, or of a
// tenth of the scale where they go by none.
export function marksOf([low, high], step) {
  const span = high - low;
  const width = span > 10 ? Math.ceil(span / 10) : step ?? span / 10;
  const [first, last] = [Math.ceil(low / width - 1e-9), Math.floor(high / width + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, place) => Number(((first + place) * width).toFixed(3)));
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

const STEPS = "undo"; // where the tab keeps what can be undone, so that a reload does not end it

function stepsOf(owner) {
  const kept = JSON.parse(sessionStorage.getItem(STEPS) || "null");
  return kept?.owner === owner ? kept.steps : [];
}

// A line that says what was done last, with a button that undoes it, and then what was done before.
// A step is {item_id, title, after} with the `row` that takes it back: `undo(step)` does so, and
// `holds(step)` says whether there is still something to take back.
export function undoLine(owner, { undo, holds }) {
  const line = el("p", { className: "undo", hidden: true });
  const button = el("button", { type: "button", onclick: () => back() }, "Undo");
  let steps = stepsOf(owner).filter(holds);
  const keep = (now) => {
    steps = now;
    sessionStorage.setItem(STEPS, JSON.stringify({ owner, steps }));
    show();
  };
  const show = () => {
    const last = steps.at(-1);
    line.hidden = !last;
    line.replaceChildren(...(last ? [el("bdi", {}, last.title), last.after, " ", button] : []));
  };
  const back = async () => {
    try {
      await undo(steps.at(-1));
      keep(steps.slice(0, -1));
      say("Undone");
    } catch (error) {
      failed(error);
    }
  };
  const done = (step) => {
    keep([...steps, step]);
    if (document.activeElement === document.body) button.focus({ preventScroll: true }); // the row that had it is gone
    say(`${isolate(step.title)}${step.after}`);
  };
  const failed = (error) => { line.hidden = false; line.replaceChildren(error.message); say(error.message); };
  show();
  return { line, done, failed };
}

// Store a row of feedback: a rating (null takes it back) or a kind. Throws the server's reason where
// it refuses.
export async function storeFeedback(user, item_id, row) {
  const { verdicts } = await post("/v1/feedback", { events: [{ user_id: user, item_id, ...row }] });
  if (verdicts[0].status !== "accepted") throw new Error(verdicts[0].reason);
  forget();
}
