// The recommendations for a person: the list, its filters, the mixer beside it, and any other film.

import { choice, counted, el, label, named, partsOf, problem, say } from "./dom.js";
import { get, getOnce, segment } from "./api.js";
import { answer } from "./answer.js";
import { Exposures } from "./exposures.js";
import { HIDING, actionsOf, storeFeedback, undoLine } from "./feedback.js";
import { openIn, rowsOf } from "./films.js";
import { latest } from "./latest.js";
import { LENGTH, MOST, bodyOf, isMixed, listForAddress, optionsIn, pairsForAddress, recommend } from "./lists.js";
import { mixer } from "./mixer.js";
import { replaceRows } from "./moving.js";
import { address, nameOf, note, ratingsInAddress, read, someone, whoInAddress } from "./state.js";

const BASELINE = 100; // entries of the list that moves are counted from

export async function list({ query, model, current }) {
  const who = someone(query);
  if (!who) {
    return [el("h1", {}, "Recommendations"), el("p", {}, "For whom? ", el("a", { href: "#find" }, "Find a person"), ", or say what you like yourself.")];
  }
  const options = optionsIn(query);
  options.beside &&= who.user !== undefined && model.beside !== null;
  const view = new ListView(who, options, model, current, query.get("item"));
  const [about] = await Promise.all([aboutOf(who), view.load()]);
  view.about = about;
  view.report(who.user !== undefined && query.get("me") === "1");
  view.show();
  const panel = await mixer({ who, about, unknown: view.answers[0].unknown_items || [], model, options, changed: (names) => view.change(names) });
  panel.addEventListener("focusin", () => view.compare().catch(() => null));
  return [
    el("h1", {}, who.user === undefined ? "Your list" : ["For person ", el("bdi", {}, who.user)]), view.lead, who.user !== undefined && thisIsMe(query, view), view.asked, filters(options, model, who, view),
    el("div", { className: "mix" }, panel, el("div", { className: "mixed" }, view.undo.line, view.lists, view.more, el("p", { className: "why-place soft" }, "Choose a film: why it is in the list stands here."))),
  ];
}

async function aboutOf(who) {
  if (who.user === undefined) return null;
  return get(`/v1/users/${segment(who.user)}`).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
}

class ListView {
  constructor(who, options, model, current, item) {
    Object.assign(this, { who, options, model, current, item, about: null, answers: [], baseline: null, questioned: null, exposures: null });
    this.lead = el("p");
    this.asked = el("section", { className: "asked", hidden: true });
    this.lists = el("div");
    this.more = el("button", { type: "button", onclick: () => { options.n = Math.min(options.n + LENGTH, MOST); this.change(["n"]); } }, "Next ten");
    this.undo = undoLine(who.user ?? null, {
      undo: ({ item_id, row }) => (row.kind ? this.leaveOut(item_id, row.kind) : this.store(item_id, row.rating)),
      holds: ({ item_id, row }) => who.user !== undefined || (row.kind ? options.hide.includes(item_id) : who.ratings?.some((one) => one.item_id === item_id)),
    });
    this.update = latest(async (signal) => {
      try {
        await this.load(signal);
        if (this.current()) this.show();
      } catch (error) {
        if (!signal.aborted) this.lists.replaceChildren(problem(error, () => this.update()));
      }
    });
  }

  async load(signal) {
    const { who, options } = this;
    const [answers] = await Promise.all([
      Promise.all([false, ...(options.beside ? [true] : [])].map((beside) => recommend(who, options, { beside, signal }))),
      isMixed(options) && this.compare(),
    ]);
    signal?.throwIfAborted();
    this.answers = answers;
  }

  // The ranks that moves are counted from, under the same rules. A mixer that is touched asks for
  // them, so that the first move need not wait.
  compare() {
    const { who, options } = this;
    const rules = JSON.stringify([options.genre, options.year_from, options.year_to, options.seen, options.diversity, options.min_ratings]);
    if (this.baseline?.rules !== rules) {
      const plain = recommend(who, { ...options, turn: {}, without: [], caution: null, hide: [] }, { why: false, n: BASELINE });
      const own = this.baseline = { rules, ranks: null };
      own.known = plain.then(({ items }) => { own.ranks = new Map(items.map((one) => [one.item_id, one.rank])); });
      own.known.catch(() => { if (this.baseline === own) this.baseline = null; }); // the next move asks again
    }
    return this.baseline.known;
  }

  // Take over a change of the options: address, and list.
  change(names) {
    const { options } = this;
    const inAddress = {
      by: ["by", options.by], genre: ["genre", options.genre], year_from: ["from", options.year_from], year_to: ["to", options.year_to],
      seen: ["seen", options.seen && "1"], beside: ["beside", options.beside && "1"], diversity: ["varied", options.diversity && "1"], min_ratings: ["known", options.min_ratings || null], caution: ["caution", options.caution],
      turn: ["turn", pairsForAddress(options.turn)], without: ["without", listForAddress(options.without)], hide: ["hide", listForAddress(options.hide)],
      n: ["n", options.n === LENGTH ? null : options.n],
    };
    note(Object.fromEntries(names.map((name) => inAddress[name])));
    return this.update();
  }

  show() {
    const { who, options, model, answers } = this;
    const [first] = answers;
    const open = read().query.get("item");
    const context = { who, options, model, open, ranks: isMixed(options) ? this.baseline?.ranks : null, actions: this.actions(), onopen: (item) => this.exposures?.opened(item) };
    this.lists.className = options.beside ? "beside" : "";
    if (options.beside) {
      const ranks = new Map(first.items.map((one) => [one.item_id, one.rank]));
      const names = [model.algorithm, model.beside.algorithm];
      this.lists.replaceChildren(...answers.map((one, place) => el("section", {}, el("h2", {}, names[place]),
        films(rowsOf(one.items, place ? { ...context, beside: true, ranks, actions: null, onopen: null } : context)))));
    } else if (this.lists.firstChild?.matches?.("ol.films") && first.items.length) {
      replaceRows(this.lists.firstChild, rowsOf(first.items, { ...context, kept: openIn(this.lists.firstChild) }));
    } else {
      this.lists.replaceChildren(films(rowsOf(first.items, context)));
    }
    this.watch();
    this.more.hidden = first.items.length < options.n || options.n >= MOST;
    this.lead.replaceChildren(...summary(this.about, first, who));
    this.ask(open, first.items);
    say(`${first.items.length} recommendations for ${nameOf(who)}`);
  }

  // Report what is seen of the list, or nothing: who looks at a person's list is seldom that person.
  report(isOn) {
    this.exposures?.stop();
    this.exposures = isOn ? new Exposures(this.who.user) : null;
    this.watch();
  }

  watch() {
    const own = this.lists.querySelector("ol.films"); // the other model's, beside it, is nobody's list
    this.exposures?.watch(own?.children ?? [], this.answers[0].recommendation_id);
  }

  // A film of the address that is not in the list is answered above it.
  ask(item, items) {
    const outside = item !== null && !items.some((one) => one.item_id === item);
    this.asked.hidden = !outside;
    if (!outside || item !== this.questioned) this.asked.replaceChildren();
    this.questioned = outside ? item : null;
    if (!outside) return null;
    if (!this.asked.childElementCount) {
      const heading = el("h2", {}, "Why not in the list?");
      this.asked.append(heading, el("div", { className: "why" }));
      getOnce(`/v1/items/${segment(item)}`).then((one) => heading.replaceChildren("Why not ", named(one), "?"), () => null);
    }
    const { who, options, model } = this;
    return answer(this.asked.lastChild, { who, model, outside: true, n: options.n, body: bodyOf(who, options, item, options.by, false) });
  }

  actions() {
    const { who } = this;
    if (who.user === undefined && !who.ratings) return null;
    const act = async (item, after, work, row) => {
      try {
        await work();
        this.undo.done({ item_id: item.item_id, title: label(item), after, row });
      } catch (error) {
        this.undo.failed(error);
      }
    };
    const hide = (item, kind) => act(item, `: ${HIDING[kind].done}.`, () => this.leaveOut(item.item_id, kind), { kind: "restore" });
    const rate = (item, value) => act(item, `: ${value} ★. The list knows.`, () => this.store(item.item_id, value), { rating: null });
    return actionsOf({ model: this.model, rate, hide });
  }

  // Take a film out of the list, or bring it back: for good where the person has an id, and else in
  // the address.
  async leaveOut(item_id, kind) {
    const { who, options } = this;
    if (who.user === undefined) {
      options.hide = options.hide.filter((one) => one !== item_id).concat(kind === "restore" ? [] : [item_id]);
      return this.change(["hide"]);
    }
    await storeFeedback(who.user, item_id, { kind, recommendation_id: this.exposures?.listOf(item_id) });
    this.baseline = null;
    return this.update();
  }

  async store(item_id, rating) {
    const { who } = this;
    if (who.user !== undefined) {
      await storeFeedback(who.user, item_id, { rating, recommendation_id: this.exposures?.listOf(item_id) });
    } else {
      who.ratings = who.ratings.filter((one) => one.item_id !== item_id).concat(rating === null ? [] : [{ item_id, rating }]);
      note({ ratings: ratingsInAddress(who.ratings) });
    }
    this.baseline = null;
    await this.update();
  }
}

function thisIsMe(query, view) {
  const box = el("input", { type: "checkbox", name: "me", checked: query.get("me") === "1", onchange: () => { note({ me: box.checked && "1" }); view.report(box.checked); } });
  return el("p", { className: "me" }, el("label", {}, box, " This is me."), " ",
    el("small", {}, "If so, this server counts the films that are on your screen for a second, and those that you open or rate, in its online figures. If not, nothing is sent of what is looked at."));
}

function films(rows) {
  if (rows.length) return el("ol", { className: "films" }, rows);
  const whole = address("list", whoInAddress(read().query));
  return el("p", { className: "empty" }, "No film matches. Try other years or another genre, or see the list ", el("a", { href: whole }, "without filters"), ".");
}

// What the list rests on: said to a newcomer, whose own list it is, and of anybody else.
function summary(about, answer, who) {
  const own = who.user === undefined;
  const parts = [];
  if (about) parts.push(`${counted(about.n_ratings, "rating")}, ${about.mean_rating.toFixed(1)} on average. `);
  else if (who.ratings) parts.push(`From ${counted(who.ratings.length, "rating")} of yours. `);
  else if (who.tastes) parts.push("From the tastes that you gave points to. ");
  if (answer.strategy === "popular") parts.push(`Nothing is known of ${own ? "you" : "them"} yet, so these are for the average person. `);
  const level = answer.items[0]?.why?.terms.find((term) => term.kind === "user")?.value;
  if (answer.strategy !== "popular" && level !== undefined && !who.tastes && Math.abs(level) >= 0.05) {
    parts.push(`${own ? "You" : "They"} rate ${Math.abs(level).toFixed(1)} ${level > 0 ? "higher" : "lower"} than most. `);
  }
  const likes = (about?.tastes || []).filter((taste) => taste.strength > 0).slice(0, 3).flatMap((taste, place) => [place ? ", " : "", partsOf(taste.name)]);
  if (likes.length) parts.push("Their strongest tastes: ", ...likes, ". ");
  const left = answer.unknown_items?.length || 0;
  if (left) parts.push(left === 1 ? "1 of them is of a film not known here and was left out." : `${left} of them are of films not known here and were left out.`);
  return parts;
}

function filters(options, model, who, view) {
  const change = (name, value) => { options[name] = value; view.change([name]); };
  const year = (name, words) => el("label", {}, `${words} `, el("input", {
    type: "number", name, min: 1880, max: 2100, value: options[name] || "", size: 6, onchange: (event) => change(name, event.target.value || null),
  }));
  const box = (name, words) => el("label", {}, el("input", { type: "checkbox", name, checked: options[name], onchange: (event) => change(name, event.target.checked) }), ` ${words}`);
  const genres = el("select", { name: "genre", onchange: (event) => change("genre", event.target.value || null) },
    el("option", { value: "" }, "all genres"), model.genres.map((one) => el("option", { value: one, selected: one === options.genre }, one)));
  return el("details", { className: "filters", open: innerWidth > 700 }, el("summary", {}, "Reasons and filters"),
    model.views.length > 1 && choice("Reasons", "by", model.views.map((one) => [one, model.view_labels[one]]), options.by || model.views[0], (value) => change("by", value)),
    el("div", { className: "row" },
      model.genres.length > 0 && el("label", {}, el("span", { className: "hidden" }, "Genre"), genres),
      year("year_from", "from"), year("year_to", "to"), box("seen", "also films already rated"), box("diversity", "more varied"), known(options, change),
      who.user !== undefined && model.beside && box("beside", "two models side by side")));
}

const KNOWN = [10, 50, 200]; // ratings that a film may be asked to have

function known(options, change) {
  const marks = [...new Set([...KNOWN, options.min_ratings].filter(Boolean))].sort((a, b) => a - b);
  return el("label", {}, el("span", { className: "hidden" }, "Ratings that a film has "), el("select", { name: "min_ratings", onchange: (event) => change("min_ratings", Number(event.target.value)) },
    el("option", { value: 0 }, "any number of ratings"), marks.map((n) => el("option", { value: n, selected: n === options.min_ratings }, `${n} ratings or more`))));
}
