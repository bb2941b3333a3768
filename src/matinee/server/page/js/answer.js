// Why an item has its score for somebody: the sum, the rank, the contrast, what would move it.

import { chart, counted, el, isolate, isolated, label, problem, say, sentence, table, width } from "./dom.js";
import { get, post, segment } from "./api.js";
import { latest } from "./latest.js";
import { copyButton, receipt } from "./receipt.js";
import { address } from "./state.js";

const WIDEST = 640; // pixels of the picture

const answers = new WeakMap(); // the answer that stands in a place

// Fill a place with the answer to a request; a failure can be tried again. What stood there stays
// until the new answer has come. Of a film `outside` the list, the reasons are those against it.
export function answer(place, request) {
  if (!answers.has(place)) answers.set(place, new Answer(place));
  return answers.get(place).show(request);
}

class Answer {
  constructor(place) {
    this.place = place;
    this.standing = el("div", { className: "standing" });
    this.receipt = receipt();
    this.more = null; // films like it
    this.add = latest((signal) => this.loadSum(signal));
    this.stand = latest((signal) => this.loadStanding(signal));
  }

  show(request) {
    this.request = request;
    this.receipt.update(request);
    return Promise.all([this.add(), this.stand()]);
  }

  async loadSum(signal) {
    const { place, request } = this;
    const isFirst = !place.childElementCount;
    if (isFirst) place.replaceChildren(el("p", { className: "soft", "aria-busy": "true" }, "Adding up…"));
    try {
      const explanation = await post(`/v1/explanations${request.beside ? "?beside=true" : ""}`, { ...request.body, width: width(place, WIDEST) }, signal);
      refill(place, this.parts(explanation));
      if (isFirst) say(`Why ${isolate(label(explanation))}: ${explanation.shown.length} terms add up to ${explanation.score.toFixed(2)}`);
    } catch (error) {
      if (!signal.aborted) place.replaceChildren(problem(error, this.add));
    }
  }

  parts(explanation) {
    const { model, outside } = this.request;
    const drawing = {
      title: `${outside ? "The score of" : "Why"} ${label(explanation)}, ${model.view_labels[explanation.by] || explanation.by}`, film: label(explanation), svg: explanation.svg, rows: rows(explanation),
    };
    if (model.has_similar) this.more ??= similar(explanation.item_id);
    return [
      chart(drawing, "h3", explanation.of === "list" ? explanation.total : ""), !outside && el("p", { className: "reason" }, sentence(explanation)),
      certainty(explanation, outside), this.standing,
      el("div", { className: "row" }, copyButton("Copy link", () => location.href), copyButton("Copy reason", () => (outside ? sentencesIn(this.standing) : explanation.sentence)),
        el("a", { href: address("film", { item: explanation.item_id }) }, "About this film")),
      this.receipt.box, this.more,
    ].filter(Boolean);
  }

  // The rank, the contrast with the last of the list, and what would move the item.
  async loadStanding(signal) {
    const { standing: place, request } = this;
    if (!place.childElementCount) place.replaceChildren(el("p", { className: "soft" }, "Looking where it stands…"));
    try {
      const standing = await post(`/v1/standings${request.beside ? "?beside=true" : ""}`, { ...request.body, n: request.n }, signal);
      refill(place, standingParts(standing, request));
    } catch (error) {
      if (!signal.aborted) place.replaceChildren(problem(error, this.stand));
    }
  }
}

// Replace what stands in a place; what was unfolded stays unfolded.
function refill(place, nodes) {
  const kinds = [...place.querySelectorAll("details[open]")].map((one) => one.className);
  place.replaceChildren(...nodes);
  for (const one of place.querySelectorAll("details")) one.open ||= kinds.includes(one.className);
}

const sentencesIn = (standing) => [...standing.querySelectorAll(":scope > p:not(.soft)")].map((one) => one.textContent).join(" ");

function standingParts(standing, request) {
  const { last, change } = standing;
  return [
    el("p", {}, el("strong", {}, standing.rating === null ? `${ordinal(standing.rank)} of ${standing.n_ranked.toLocaleString("en")}. ` : "Rated. "), isolated(standing.sentence, names(standing))),
    request.outside && standing.is_listed && el("p", {}, "A filter leaves it out here, or you hid it."),
    last && el("p", {}, isolated(last.sentence, names(standing))),
    last && el("details", { className: "contrast" }, el("summary", {}, `Against number ${Math.min(standing.n, standing.n_ranked - 1)}, term by term`),
      table([...last.shown.map((one) => ({ term: one.detail ? `${one.name}, ${one.detail}` : one.name, difference: one.value.toFixed(2) })), { term: "difference", difference: sum(last.shown).toFixed(2) }])),
    change && el("p", { className: "change" }, isolated(change.sentence, names(standing))),
  ].filter(Boolean);
}

// Every title and name in an answer.
function names(of) {
  if (of === null || typeof of !== "object") return [];
  return [of.title === undefined ? null : label(of), of.name, ...Object.values(of).flatMap(names)].filter((one) => typeof one === "string");
}

const sum = (shown) => shown.reduce((total, one) => total + one.value, 0);

export function ordinal(n) {
  const last = [11, 12, 13].includes(n % 100) ? 0 : n % 10;
  return `${n.toLocaleString("en")}${["th", "st", "nd", "rd"][last] || "th"}`;
}

function rows(explanation) {
  const unit = explanation.score_name === "score" ? explanation.unit : "points"; // a list score leaves the scale of stars
  const terms = explanation.shown.map((one) => ({ term: one.detail ? `${one.name}, ${one.detail}` : one.name, [unit]: one.value }));
  return [...terms, { term: explanation.score_name, [unit]: Number(explanation.score.toFixed(2)) }];
}

function certainty({ evidence, personal, interval, unit }, outside) {
  const parts = [`Rests on ${counted(evidence.by_user, "rating")} of yours and ${evidence.of_item.toLocaleString("en")} of the film. `];
  if (interval) parts.push(`The rating will lie between ${interval.low.toFixed(1)} and ${interval.high.toFixed(1)}, ${Math.round(10 * interval.level)} times out of 10. `);
  if (unit !== "stars") parts.push("The score says how sure the model is that you would choose it; only the order counts. ");
  if (!outside && personal !== null) parts.push(personal >= 0.5 ? "It is more personal than popular." : "It is more popular than personal.");
  return el("p", { className: "soft" }, parts);
}

function similar(item) {
  const box = el("details", { className: "alike" }, el("summary", {}, "More like this"));
  const load = async () => {
    try {
      const { items } = await get(`/v1/items/${segment(item)}/similar`, { n: 6 });
      box.replaceChildren(box.firstChild, el("ul", {}, items.map((one) => el("li", {}, el("a", { href: address("film", { item: one.item_id }) }, el("bdi", {}, label(one)))))));
    } catch (error) {
      box.replaceChildren(box.firstChild, problem(error, load));
    }
  };
  box.addEventListener("toggle", () => box.childElementCount < 2 && load());
  return box;
}
