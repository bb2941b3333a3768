// Somebody new: films to rate on one side, and the list they make on the other, live.

import { choice, counted, el, label, named, problem } from "./dom.js";
import { get, getOnce, post, segment } from "./api.js";
import { marksOf } from "./feedback.js";
import { openIn, rowsOf } from "./films.js";
import { latest } from "./latest.js";
import { optionsIn } from "./lists.js";
import { replaceRows } from "./moving.js";
import { save } from "./receipt.js";
import { findFilms } from "./search.js";
import { suggest } from "./suggest.js";
import { address, note, ratingsInAddress, someone } from "./state.js";

const CARDS = 4; // films asked about at once
const SHOWN = 10;

export async function rateFilms(model, query) {
  const view = new Newcomer(model, someone(query)?.ratings || []);
  await view.start();
  return view.nodes();
}

class Newcomer {
  constructor(model, ratings) {
    this.model = model;
    this.ratings = ratings; // the latest last
    this.notSeen = [];
    this.asked = new Map(ratings.map((one) => [one.item_id, null]));
    this.cards = el("div", { className: "cards" });
    this.rated = el("ul", { className: "chips", "aria-label": "Your ratings" });
    this.list = el("ol", { className: "films" });
    this.moved = el("p", { className: "soft", role: "status" });
    this.before = new Map();
    this.done = el("a", { className: "button main" }, "Keep this list, and mix it");
    this.keep = el("button", { type: "button", onclick: () => this.export() }, "Save your ratings");
    this.update = latest((signal) => this.refresh(signal));
  }

  async start() {
    await Promise.all([this.fill(), this.refresh()]);
  }

  nodes() {
    const search = suggest({ label: "Add a film that you have seen", name: "add", find: findFilms, hint: "any film you have seen", onpick: ({ item }) => { this.asked.set(item.item_id, item); this.cards.prepend(this.card(item)); search.set(undefined); } });
    return [
      el("p", {}, "Rate what you have seen; the list follows each rating. What the model would guess is shown after you have rated, so that it does not sway you."),
      el("div", { className: "live" },
        el("section", { "aria-label": "Films to rate" }, el("h2", {}, "Have you seen these?"), el("label", { className: "add" }, "Another film ", search.node), this.cards, this.rated, el("div", { className: "row" }, this.done, this.keep)),
        this.drawer()),
    ];
  }

  // The list; on a phone it is a drawer at the foot of the screen, folded to its first films.
  drawer() {
    const unfold = el("button", { type: "button", "aria-expanded": "false", onclick: () => {
      const whole = section.classList.toggle("whole");
      unfold.setAttribute("aria-expanded", String(whole));
      unfold.textContent = whole ? "Fold" : "Unfold";
    } }, "Unfold");
    const section = el("section", { className: "beside-cards", "aria-label": "Your list" },
      el("div", { className: "drawer" }, el("h2", {}, "What to watch"), this.moved, unfold), this.list);
    return section;
  }

  // Ask about as many films as there are cards, those first that tell most.
  async fill() {
    const missing = CARDS - this.cards.querySelectorAll("article:not(.done)").length;
    if (missing <= 0) return;
    const { items } = await post("/v1/interview", { ratings: this.ratings, not_seen: this.notSeen, n: missing + this.asked.size }).catch(() => getOnce("/v1/items", { n: 100 }));
    for (const item of items.filter((one) => !this.asked.has(one.item_id)).slice(0, missing)) {
      this.asked.set(item.item_id, item);
      this.cards.append(this.card(item));
    }
  }

  card(item) {
    const status = el("p", { className: "soft", role: "status" });
    const mine = this.ratings.find((one) => one.item_id === item.item_id);
    const marks = marksOf(this.model.scale, this.model.rating_step).map((mark) => [String(mark), String(mark)]);
    const article = el("article", { className: "card", "data-id": item.item_id }, el("h3", {}, named(item)), el("p", { className: "soft" }, item.genres.join(", ")),
      choice(`Your rating of ${label(item)}`, `r-${item.item_id}`, marks, mine ? String(mine.rating) : null, (value) => this.rate(item, Number(value), status, article)), status);
    article.querySelector("legend").className = "hidden";
    article.append(el("button", { type: "button", onclick: () => { this.notSeen.push(item.item_id); article.remove(); this.fill(); } }, "Not seen", el("span", { className: "hidden" }, `: ${label(item)}`)));
    return article;
  }

  async rate(item, value, status, article) {
    const others = this.ratings.filter((one) => one.item_id !== item.item_id);
    const again = others.length < this.ratings.length;
    this.ratings = [...others, { item_id: item.item_id, rating: value }];
    this.asked.set(item.item_id, item);
    article.classList.add("done");
    article.querySelector(":scope > button")?.remove();
    this.remember();
    const guess = again || this.model.kind !== "rating" ? null : post("/v1/recommendations", { ratings: others, items: [item.item_id], exclude_seen: false, n: 1 }).catch(() => null);
    await this.update();
    const guessed = (await guess)?.items[0]?.predicted;
    if (guessed !== undefined) status.textContent = `We would have guessed ${guessed.toFixed(1)}.`;
    else if (!again) status.textContent = "Noted.";
    await this.fill();
  }

  remember() {
    note({ ratings: ratingsInAddress(this.ratings) || null });
  }

  async refresh(signal) {
    try {
      const { items } = await post("/v1/recommendations", { ratings: this.ratings, n: SHOWN, why: this.ratings.length ? "true" : null }, signal);
      const who = { ratings: this.ratings };
      const ranks = this.before.size && this.ratings.length ? this.before : null;
      const moved = items.filter((one) => this.before.get(one.item_id) !== one.rank).length;
      if (ranks) this.moved.textContent = moved ? `This moved ${counted(moved, "film")}.` : "This moved nothing among the ten.";
      else this.moved.textContent = this.ratings.length ? `From ${counted(this.ratings.length, "rating")}.` : "What most people like; your ratings will move it.";
      replaceRows(this.list, rowsOf(items, { who, options: optionsIn(new URLSearchParams()), model: this.model, ranks, beside: false, kept: openIn(this.list) }));
      this.before = new Map(items.map((one) => [one.item_id, one.rank]));
      this.done.href = address("list", { ratings: ratingsInAddress(this.ratings) });
      this.done.hidden = this.keep.hidden = !this.ratings.length;
      await this.chips();
    } catch (error) {
      if (!signal?.aborted) this.list.replaceChildren(el("li", {}, problem(error, () => this.update())));
    }
  }

  // The ratings so far, each with a button that takes it back.
  async chips() {
    const items = await Promise.all(this.ratings.map((one) => this.asked.get(one.item_id) || getOnce(`/v1/items/${segment(one.item_id)}`).catch(() => null)));
    this.rated.replaceChildren(...this.ratings.map((one, place) => el("li", {}, el("button", {
      type: "button", "aria-label": `Take back your rating of ${items[place] ? label(items[place]) : one.item_id}`,
      onclick: () => this.takeBack(one, items[place]),
    }, el("bdi", {}, items[place] ? label(items[place]) : one.item_id), " ", el("span", { className: "keep" }, `${one.rating} ★ ✕`)))));
  }

  // The film is asked about again where its card still stands.
  async takeBack(rating, item) {
    this.ratings = this.ratings.filter((one) => one !== rating);
    const card = [...this.cards.children].find((one) => one.dataset.id === rating.item_id);
    if (card) card.replaceWith(this.card(item));
    this.remember();
    await this.update();
    (this.rated.querySelector("button") ?? this.cards.querySelector("input")).focus(); // the button that had it is gone
  }

  async export() {
    const items = await Promise.all(this.ratings.map((one) => get(`/v1/items/${segment(one.item_id)}`).catch(() => ({}))));
    const cell = (text) => (/[",\n]/.test(text) ? `"${String(text).replaceAll('"', '""')}"` : text);
    const rows = this.ratings.map((one, place) => [one.item_id, items[place].title || "", items[place].year || "", one.rating].map(cell).join(","));
    save(new Blob([["item_id,title,year,rating", ...rows, ""].join("\n")], { type: "text/csv" }), "ratings.csv");
  }
}
