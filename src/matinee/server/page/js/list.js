// The recommendations for a person, the reasons, and what would change them.

import { chart, choice, counted, el, label, say, sentence, width } from "./dom.js";
import { get, path, post, segment } from "./api.js";
import { jsonAt, jsonOf } from "./json.js";
import { note, someone } from "./state.js";
import { whatIf } from "./what_if.js";

export async function list({ query, model, current }) {
  const who = someone(query);
  if (!who) {
    return [el("h1", {}, "Recommendations"), el("p", {}, "For whom? ", el("a", { href: "#find" }, "Find a person"), ", or say what you like yourself.")];
  }
  const options = {
    by: query.get("by"), caution: query.get("caution"), genre: query.get("genre"), year_from: query.get("from"), year_to: query.get("to"),
    seen: query.get("seen") === "1", beside: query.get("beside") === "1" && who.user !== undefined && model.beside !== null,
  };
  const about = who.user === undefined ? null : await get(`/v1/users/${segment(who.user)}`).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  const lists = el("div");
  const lead = el("p");
  let turn = 0;
  const refresh = async () => {
    const mine = ++turn;
    try {
      const answers = await Promise.all([false, ...(options.beside ? [true] : [])].map((beside) => recommend(who, options, beside)));
      if (mine !== turn || !current()) return;
      const names = [model.algorithm, model.beside?.algorithm];
      const drawings = answers.map((answer, place) => films(answer.items, { who, options, model, beside: place === 1, other: place === 1 ? answers[0].items : null, open: query.get("item") }));
      lists.className = options.beside ? "beside" : "";
      lists.replaceChildren(...drawings.map((one, place) => options.beside ? el("section", {}, el("h2", {}, names[place]), one) : one));
      lead.replaceChildren(...summary(about, answers[0], who));
      say(`${answers[0].items.length} recommendations for ${name(who)}`);
    } catch (error) {
      lists.replaceChildren(el("p", { className: "problem", role: "alert" }, error.message));
      say(error.message);
    }
  };
  await refresh();
  return [
    el("h1", {}, who.user === undefined ? "For you" : `For person ${who.user}`), lead,
    controls(options, model, who, refresh), lists, whatIf({ who, about, model, options }),
  ];
}

export function name(who) {
  return who.user === undefined ? "you" : `person ${who.user}`;
}

async function recommend(who, options, beside) {
  const filters = { genre: options.genre, year_from: options.year_from, year_to: options.year_to };
  if (who.user !== undefined) {
    const where = `/v1/users/${segment(who.user)}/recommendations`;
    const all = { n: 10, why: options.by || "true", ...filters, caution: beside ? null : options.caution, exclude_seen: options.seen ? "false" : null, beside: beside ? "true" : null };
    if (!beside) jsonAt(path(where, all));
    return get(where, all);
  }
  const answer = await post("/v1/recommendations", {
    ...who, n: 10, why: options.by || "true", caution: number(options.caution), exclude_seen: !options.seen, genre: options.genre ? [options.genre] : [],
    year_from: Number(options.year_from) || null, year_to: Number(options.year_to) || null,
  });
  jsonOf(answer);
  return answer;
}

// A number of the address for a request body; null where there is none.
export function number(text) {
  return text === null || text === "" ? null : Number(text);
}

function summary(about, answer, who) {
  const parts = [];
  if (about) parts.push(`${counted(about.n_ratings, "rating")}, ${about.mean_rating.toFixed(1)} on average. `);
  else if (who.ratings) parts.push(`From ${counted(who.ratings.length, "rating")} of yours. `);
  else if (who.tastes) parts.push("From the tastes that you gave points to. ");
  if (answer.strategy === "popular") parts.push("Nothing is known of them yet, so these are for the average person. ");
  const level = answer.items[0]?.why?.terms.find((term) => term.kind === "user")?.value;
  if (answer.strategy !== "popular" && level !== undefined && !who.tastes && Math.abs(level) >= 0.05) {
    parts.push(`${about ? "Rates" : "You rate"} ${Math.abs(level).toFixed(1)} ${level > 0 ? "higher" : "lower"} than most. `);
  }
  const likes = (about?.tastes || []).filter((taste) => taste.strength > 0).slice(0, 3).map((taste) => taste.name);
  if (likes.length) parts.push(`Strongest tastes: ${likes.join(", ")}. `);
  const left = answer.unknown_items?.length || 0;
  if (left) parts.push(left === 1 ? "1 of them is of a film not known here and was left out." : `${left} of them are of films not known here and were left out.`);
  return parts;
}

function controls(options, model, who, refresh) {
  const change = (name, inAddress, value) => { options[name] = value; note({ [inAddress]: value === true ? "1" : value || null }); refresh(); };
  const year = (name, inAddress, words) => el("label", {}, `${words} `, el("input", {
    type: "number", name, min: 1880, max: 2100, value: options[name] || "", size: 6,
    onchange: (event) => change(name, inAddress, event.target.value),
  }));
  const box = (name, words) => el("label", {}, el("input", { type: "checkbox", name, checked: options[name], onchange: (event) => change(name, name, event.target.checked) }), ` ${words}`);
  const genres = el("select", { name: "genre", onchange: (event) => change("genre", "genre", event.target.value) },
    el("option", { value: "" }, "all genres"), model.genres.map((one) => el("option", { value: one, selected: one === options.genre }, one)));
  return el("div", {},
    model.views.length > 1 && choice("Reasons", "by", model.views.map((one) => [one, model.view_labels[one]]), options.by || model.views[0], (value) => change("by", "by", value)),
    el("div", { className: "row" },
      model.genres.length > 0 && el("label", {}, el("span", { className: "hidden" }, "Genre"), genres),
      year("year_from", "from", "from"), year("year_to", "to", "to"), box("seen", "also films already rated"),
      who.user !== undefined && model.beside && box("beside", "two models side by side")),
    model.cautions.length > 0 && dial(model.cautions, options.caution, (value) => change("caution", "caution", value)));
}

// How bold the list is: the model's own caution is the middle, and stands for nothing in the address.
function dial(cautions, chosen, onchange) {
  const middle = (cautions.length - 1) / 2;
  const distance = (one) => Math.abs(one - Number(chosen));
  const place = chosen === null ? middle : cautions.reduce((best, one, at) => (distance(one) < distance(cautions[best]) ? at : best), 0);
  const words = (at) => (at === middle ? "as learned" : `${Math.abs(at - middle)} ${at < middle ? "safer" : "bolder"}`);
  const output = el("output", {}, words(place));
  const slider = el("input", { type: "range", name: "caution", min: 0, max: cautions.length - 1, step: 1, value: place, "aria-valuetext": words(place) });
  slider.addEventListener("input", () => {
    output.textContent = words(Number(slider.value));
    slider.setAttribute("aria-valuetext", output.textContent);
  });
  slider.addEventListener("change", () => {
    const at = Number(slider.value);
    onchange(at === middle ? null : String(cautions[at]));
  });
  return el("label", { className: "dial" }, el("span", {}, "safe"), slider, el("span", {}, "adventurous"), output);
}

function films(items, context) {
  if (!items.length) return el("p", {}, "No film matches. Try other years or another genre.");
  return el("ol", { className: "films" }, items.map((item) => film(item, context)));
}

export function stars(item, model) {
  const value = model.kind === "rating" ? item.predicted : item.score;
  return model.kind === "rating" ? `${value.toFixed(1)} ★` : value.toFixed(2);
}

function film(item, { who, options, model, beside, other, open }) {
  const why = el("div", { className: "why", hidden: true });
  const button = el("button", { className: "plain", type: "button", "aria-expanded": "false" },
    el("span", { className: "film" },
      el("span", { className: "rank" }, String(item.rank)),
      el("span", { className: "title" }, label(item), other && rankChange(other.find((one) => one.item_id === item.item_id)?.rank, item.rank)),
      el("span", { className: "stars" }, stars(item, model)),
      el("span", { className: "because" }, item.why ? sentence(item.why, label(item)) : item.genres.join(", "))));
  const toggle = async () => {
    const opening = why.hidden;
    button.setAttribute("aria-expanded", String(opening));
    why.hidden = !opening;
    if (!beside) note({ item: opening ? item.item_id : null });
    if (!opening || why.childElementCount) return;
    try {
      const body = { ...who, item: item.item_id, by: options.by || item.why?.by, caution: beside ? null : number(options.caution), width: width(why.parentElement ?? undefined, 640) };
      const explanation = await post(`/v1/explanations${beside ? "?beside=true" : ""}`, body);
      const drawing = { title: `Why ${label(item)}, ${model.view_labels[explanation.by] || explanation.by}`, svg: explanation.svg, rows: rows(explanation) };
      why.replaceChildren(chart(drawing, "h3", explanation.of === "list" ? explanation.total : ""), certainty(explanation, who), similar(item));
      say(`Why ${label(item)}: ${explanation.shown.length} terms add up to ${explanation.score.toFixed(2)}`);
    } catch (error) {
      why.replaceChildren(el("p", { className: "problem" }, error.message));
    }
  };
  button.addEventListener("click", toggle);
  if (open === item.item_id && !beside) toggle();
  return el("li", {}, button, why);
}

function rows(explanation) {
  const terms = explanation.shown.map((one) => ({ term: one.detail ? `${one.name}, ${one.detail}` : one.name, [explanation.unit]: one.value }));
  return [...terms, { term: explanation.score_name, [explanation.unit]: Number(explanation.score.toFixed(2)) }];
}

function certainty({ evidence, personal, interval }, who) {
  const parts = [`Rests on ${counted(evidence.by_user, "rating")} of ${who.user === undefined ? "yours" : "theirs"} and ${evidence.of_item.toLocaleString("en")} of the film. `];
  if (interval) parts.push(`The rating will lie between ${interval.low.toFixed(1)} and ${interval.high.toFixed(1)}, ${Math.round(10 * interval.level)} times out of 10. `);
  parts.push(personal >= 0.5 ? "That it leads is mostly personal." : "That it leads is mostly what everybody thinks of it.");
  return el("p", { className: "soft" }, parts);
}

function similar(item) {
  const box = el("details", {}, el("summary", {}, "More like this"));
  box.addEventListener("toggle", async () => {
    if (box.childElementCount > 1) return;
    try {
      const answer = await get(`/v1/items/${segment(item.item_id)}/similar`, { n: 6 });
      box.append(el("ul", {}, answer.items.map((one) => el("li", {}, label(one)))));
    } catch (error) {
      box.append(el("p", {}, error.message));
    }
  });
  return box;
}

export function rankChange(before, now) {
  if (before === undefined || before === null) return el("span", { className: "moved-up" }, " new");
  if (before === now) return el("span", { className: "soft" }, " =");
  const up = before > now;
  return el("span", { className: up ? "moved-up" : "moved-down" }, up ? ` ▲ ${before - now}` : ` ▼ ${now - before}`,
    el("span", { className: "hidden" }, up ? " places up" : " places down"));
}
