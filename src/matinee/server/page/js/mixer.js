// The mixer: tastes and the dial, safe to adventurous; whatever moves, the list follows.

import { el, named, partsOf } from "./dom.js";
import { getOnce, segment } from "./api.js";

const MOST_TASTES = 12;
const MOST_RATINGS = 200;
const narrow = matchMedia("(max-width: 56rem)"); // where the panel sticks above the list, as in style.css

// The panel. `options` are changed in place, and `changed(names)` is called after each move.
export async function mixer({ who, about, unknown, model, options, changed }) {
  const [tastes, ratings] = await Promise.all([tastesOf(about, model), historyOf(who, about, unknown)]);
  const resets = [];
  const panel = el("details", { className: "mixer", id: "mixer", open: !narrow.matches, ontoggle: () => narrow.matches && panel.open && panel.scrollIntoView() },
    el("summary", {}, el("h2", {}, "Mix your own")),
    el("p", { className: "soft" }, "Move a taste, and the list follows."),
    model.cautions.length > 0 && dial(model.cautions, options, changed, resets),
    tastes.length > 0 && el("fieldset", {}, el("legend", {}, "Tastes"), el("div", { className: "sliders" }, tastes.map((taste) => slider(taste, options, changed, resets)))),
    ratings.length > 0 && el("details", {}, el("summary", {}, "Ratings that count"), boxes(ratings, options, changed, resets)),
    el("button", { type: "button", onclick: () => { for (const reset of resets) reset(); changed(["turn", "without", "caution"]); } }, "As it was"));
  if (!tastes.length && !ratings.length && !model.cautions.length) panel.replaceChildren(el("summary", {}, el("h2", {}, "Mix your own")), el("p", {}, "There is nothing to turn: this model has no tastes, and there are no ratings."));
  return panel;
}

async function tastesOf(about, model) {
  if (!model.has_tastes) return [];
  const known = about?.tastes?.length ? about.tastes : (await getOnce("/v1/tastes")).tastes;
  return known.slice(0, MOST_TASTES);
}

async function historyOf(who, about, unknown) {
  const known = about ? about.ratings.filter((one) => one.known) : await withTitles((who.ratings || []).filter((one) => !unknown.includes(one.item_id)));
  return [...known].sort((a, b) => b.rating - a.rating).slice(0, MOST_RATINGS);
}

async function withTitles(ratings) {
  const some = ratings.slice(0, 40);
  const items = await Promise.all(some.map((one) => getOnce(`/v1/items/${segment(one.item_id)}`).catch(() => null)));
  return some.map((one, place) => ({ ...one, item: items[place] })).filter((one) => one.item);
}

function range(attributes, words, onmove) {
  const output = el("output", {}, words(Number(attributes.value)));
  const input = el("input", { type: "range", ...attributes, "aria-valuetext": output.textContent });
  input.addEventListener("input", () => {
    output.textContent = words(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
    onmove(Number(input.value));
  });
  const reset = (value) => { input.value = value; output.textContent = words(value); input.setAttribute("aria-valuetext", output.textContent); };
  return { input, output, reset };
}

const timesInWords = (value) => (value === 0 ? "off" : value === 1 ? "as it is" : `× ${value}`);

function slider(taste, options, changed, resets) {
  const { input, output, reset } = range({ min: 0, max: 3, step: 0.25, value: options.turn[taste.number] ?? 1, "data-taste": taste.number }, timesInWords, (value) => {
    if (value === 1) delete options.turn[taste.number];
    else options.turn[taste.number] = value;
    changed(["turn"]);
  });
  resets.push(() => { delete options.turn[taste.number]; reset(1); });
  return el("label", {}, partsOf(taste.name), input, output);
}

// How bold the list is: the model's own caution is the middle, and stands for nothing in the address.
function dial(cautions, options, changed, resets) {
  const middle = (cautions.length - 1) / 2;
  const distance = (one) => Math.abs(one - Number(options.caution));
  const place = options.caution === null ? middle : cautions.reduce((best, one, at) => (distance(one) < distance(cautions[best]) ? at : best), 0);
  const words = (at) => (at === middle ? "as learned" : `${Math.abs(at - middle)} ${at < middle ? "safer" : "bolder"}`);
  const { input, output, reset } = range({ name: "caution", min: 0, max: cautions.length - 1, step: 1, value: place }, words, (at) => {
    options.caution = at === middle ? null : String(cautions[at]);
    changed(["caution"]);
  });
  resets.push(() => { options.caution = null; reset(middle); });
  return el("label", { className: "dial" }, el("span", {}, "safe"), input, el("span", {}, "adventurous"), output);
}

function boxes(ratings, options, changed, resets) {
  return el("ul", { className: "rated", tabIndex: 0, "aria-label": "Ratings that count" }, ratings.map((one) => {
    const box = el("input", { type: "checkbox", checked: !options.without.includes(one.item_id), onchange: () => {
      options.without = options.without.filter((item) => item !== one.item_id).concat(box.checked ? [] : [one.item_id]);
      changed(["without"]);
    } });
    resets.push(() => { options.without = []; box.checked = true; });
    return el("li", {}, el("label", {}, box, named(one.item || one), el("span", {}, `${one.rating} ★`)));
  }));
}
