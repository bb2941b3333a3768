// What if a taste counted less, or a rating were gone: the list follows each change.

import { el, label, say } from "./dom.js";
import { getOnce, post, segment } from "./api.js";
import { jsonOf } from "./json.js";
import { number, rankChange, stars } from "./list.js";

const MOST_TASTES = 12;
const MOST_RATINGS = 200;
const WAIT = 80; // milliseconds after the last turn of a slider

export function whatIf({ who, about, model, options }) {
  const panel = el("details", { className: "panel", id: "what-if" }, el("summary", {}, "What if… turn a taste down, or take a rating away"));
  panel.addEventListener("toggle", async () => {
    if (panel.childElementCount > 1) return;
    const wish = { turn: {}, without: new Set() };
    const result = el("div", { "aria-live": "polite" });
    const [sliders, boxes] = await Promise.all([tastes(about, model, wish, () => later()), ratings(who, about, wish, () => later())]);
    let timer = null;
    const later = () => { clearTimeout(timer); timer = setTimeout(() => move({ who, wish, model, options }, result), WAIT); };
    panel.append(sliders, boxes, result);
    if (!sliders.childElementCount && !boxes.childElementCount) result.append(el("p", {}, "There is nothing to turn: this model has no tastes, and there are no ratings."));
  });
  return panel;
}

async function tastes(about, model, wish, changed) {
  if (!model.has_tastes) return el("div");
  const known = about?.tastes?.length ? about.tastes : (await getOnce("/v1/tastes")).tastes;
  return el("fieldset", {}, el("legend", {}, "Tastes"), el("div", { className: "sliders" },
    known.slice(0, MOST_TASTES).map((taste) => {
      const output = el("output", {}, "as it is");
      const slider = el("input", { type: "range", min: 0, max: 2, step: 0.25, value: 1, "aria-valuetext": "as it is" });
      slider.addEventListener("input", () => {
        const value = Number(slider.value);
        output.textContent = value === 0 ? "off" : value === 1 ? "as it is" : `× ${value}`;
        slider.setAttribute("aria-valuetext", output.textContent);
        if (value === 1) delete wish.turn[taste.number];
        else wish.turn[taste.number] = value;
        changed();
      });
      return el("label", {}, taste.name, output, slider);
    })));
}

async function ratings(who, about, wish, changed) {
  const history = about ? about.ratings.filter((one) => one.known) : await withTitles(who.ratings || []);
  if (!history.length) return el("div");
  const most = [...history].sort((a, b) => b.rating - a.rating).slice(0, MOST_RATINGS);
  return el("fieldset", {}, el("legend", {}, "Ratings that count"), el("ul", { className: "rated", tabIndex: 0, "aria-label": "Ratings" },
    most.map((one) => el("li", {}, el("label", {},
      el("input", { type: "checkbox", checked: true, onchange: (event) => {
        event.target.checked ? wish.without.delete(one.item_id) : wish.without.add(one.item_id);
        changed();
      } }), one.title, el("span", {}, `${one.rating} ★`))))));
}

async function withTitles(ratings) {
  const some = ratings.slice(0, 40);
  const items = await Promise.all(some.map((one) => getOnce(`/v1/items/${segment(one.item_id)}`).catch(() => null)));
  return some.map((one, place) => ({ ...one, title: items[place] ? label(items[place]) : one.item_id })).filter((_, place) => items[place]);
}

async function move({ who, wish, model, options }, result) {
  try {
    const answer = await post("/v1/what-if", { ...who, turn: wish.turn, without: [...wish.without], caution: number(options.caution), n: 10 });
    jsonOf(answer);
    const gone = answer.before.filter((one) => !answer.after.some((two) => two.item_id === one.item_id));
    result.replaceChildren(
      el("h2", {}, "Then the list would be"),
      el("ol", { className: "films" }, answer.after.map((item) => el("li", {}, el("div", { className: "film" },
        el("span", { className: "rank" }, String(item.rank)),
        el("span", { className: "title" }, label(item), rankChange(answer.before.some((one) => one.item_id === item.item_id) ? item.rank_before : null, item.rank)),
        el("span", { className: "stars" }, stars(item, model)))))),
      gone.length ? el("p", { className: "soft" }, `No longer among the ten: ${gone.map(label).join(", ")}.`) : "");
    say("The list has moved");
  } catch (error) {
    result.replaceChildren(el("p", { className: "problem", role: "alert" }, error.message));
  }
}
