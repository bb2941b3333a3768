// The map: all films, or people, by taste; where somebody is on it, and where their list leads.

import { choice, counted, el, label, named, partsOf, percent, say, table } from "./dom.js";
import { get, getOnce, path, post, segment } from "./api.js";
import { Atlas, N_COLORS } from "./atlas.js";
import { jsonAt } from "./json.js";
import { address, nameOf, note, read, someone, whoInAddress } from "./state.js";

const COLORS = { genre: "genre", decade: "decade", taste: "taste" };
const BEST = 10; // films of the list that lines lead to
const LIKED = 25; // ratings, the highest, whose middle is where somebody is
const MOST_LISTED = 50; // of what lies inside a line
const MOST_HITS = 12; // of a search, shown as buttons
const OTHER = "other";

export function usualMap(model) {
  return { of: "items", color: model.genres.length ? "genre" : "taste", most: 100000 };
}

export async function map({ query, model }) {
  if (model.n_factors < 2) return [el("h1", {}, "Map"), el("p", {}, "A map needs a model with two tastes or more.")];
  const options = { of: query.get("of") || "items", color: query.get("color") || usualMap(model).color };
  const who = someone(query);
  const place = el("div");
  const draw = async () => {
    const where = { ...usualMap(model), of: options.of, color: options.of === "users" ? "taste" : options.color };
    jsonAt(path("/v1/map", where));
    const answer = await getOnce("/v1/map", where);
    place.replaceChildren(...new MapView(answer, options, model, who).nodes(query.get("q") || ""));
  };
  const change = (name, value) => { options[name] = value; note({ [name]: value }); colorsBox.hidden = options.of === "users"; draw(); };
  const colorsBox = choice("Coloured by", "color", Object.entries(COLORS).filter(([name]) => name !== "genre" || model.genres.length), options.color, (value) => change("color", value));
  colorsBox.hidden = options.of === "users";
  await draw();
  return [el("h1", {}, "The map of tastes"),
    el("div", { className: "row" }, choice("Of", "of", [["items", "films"], ["users", "people"]], options.of, (value) => change("of", value)), colorsBox), place];
}

const hint = () => el("p", { className: "soft" }, "Choose a point to see what it is.");

class MapView {
  constructor(answer, options, model, who) {
    Object.assign(this, { answer, options, model, who });
    const last = N_COLORS - 1;
    const classes = new Map(answer.legend.map((name, place) => [name, name === OTHER ? last : place]));
    this.points = answer.points.map((point) => ({ ...point, color: classes.get(point.class) ?? last }));
    this.names = new Map(this.points.map((point) => [point.name, point]));
    this.ids = new Map(this.points.map((point) => [point.id, point]));
    this.classes = classes;
    this.hits = el("ul", { className: "chips hits", "aria-label": "Found" });
    this.details = el("div", { role: "status", className: "point" }, hint());
    this.where = el("p", { className: "soft", hidden: true });
    const title = `${options.of === "users" ? "People" : "Films"} by taste, coloured by ${answer.color}`;
    this.atlas = new Atlas(this.points, this.regions(), { title, onpick: (point) => this.describe(point) });
  }

  // The regions of tastes, in the colours of their points where these are coloured by taste.
  regions() {
    const { color, regions } = this.answer;
    return regions.map((one) => ({ ...one, color: color === "taste" ? this.classes.get(one.name) : undefined }));
  }

  nodes(search) {
    const { answer, options, who, model } = this;
    const noun = options.of === "users" ? "person" : "film";
    const field = el("input", { type: "search", name: "q", value: search, oninput: () => { this.find(field.value); note({ q: field.value }); } });
    if (search) queueMicrotask(() => this.find(search));
    const mine = who && options.of === "items" && el("button", { type: "button", className: "mine", onclick: () => this.lead().catch((error) => say(error.message)) },
      who.user === undefined ? "Where does my list lead?" : `Where does the list of person ${who.user} lead?`);
    if (who) this.locate().catch((error) => say(error.message));
    const list = el("details", {}, el("summary", {}, "The same as a list"));
    list.addEventListener("toggle", () => list.childElementCount < 2 && list.append(table(this.points.map((one) => ({ name: one.name, [answer.color]: one.class, ratings: one.n_ratings, x: one.x, y: one.y })))));
    const left = answer.left_out ? ` The ${counted(this.points.length, noun)} with most ratings are shown; ${answer.left_out.toLocaleString("en")} are not.` : ` All ${counted(this.points.length, noun)} with ratings are shown.`;
    return [
      el("p", { className: "soft" }, `What lies near is alike in the two directions that differ most; these hold ${percent(answer.explained)} of all differences.${left}`),
      el("div", { className: "row" }, el("label", {}, "Find ", field),
        el("button", { type: "button", "aria-label": "zoom in", onclick: () => this.atlas.zoom(1.5) }, "+"), el("button", { type: "button", "aria-label": "zoom out", onclick: () => this.atlas.zoom(1 / 1.5) }, "−"),
        el("button", { type: "button", className: "lasso", onclick: () => { say("Draw a line around some points"); this.atlas.startLasso((points) => this.listed(points)); } }, "Draw around"),
        el("button", { type: "button", className: "in-view", onclick: () => this.listed(this.atlas.inView()) }, "List what is in view"), mine),
      this.hits,
      el("ul", { className: "legend" }, answer.legend.map((name) => el("li", {}, this.swatch(name), partsOf(name)))),
      el("div", { className: "map" }, this.atlas.canvas), this.where, this.details, list,
    ];
  }

  swatch(name) {
    return el("span", { className: `swatch k${this.classes.get(name)}`, "aria-hidden": "true" });
  }

  find(query) {
    const text = query.trim().toLowerCase();
    const words = text.split(/\s+/);
    const hits = text ? this.points.filter((point) => words.every((word) => point.name.toLowerCase().includes(word))) : [];
    this.atlas.mark(hits.map((one) => one.id));
    this.details.replaceChildren(hint()); // what stood there was of other marks
    this.hits.replaceChildren(...(hits.length > 1 ? this.choices(hits) : []));
    if (!text) return;
    say(hits.length ? `${counted(hits.length, this.options.of === "users" ? "person" : "film")} found` : "None on this map: nobody has rated such a film.");
    if (hits.length === 1) this.choose(hits[0]);
  }

  // What a search found, as buttons: those with most ratings first.
  choices(hits) {
    const first = [...hits].sort((a, b) => b.n_ratings - a.n_ratings).slice(0, MOST_HITS);
    const more = hits.length - first.length;
    return [...first.map((point) => el("li", {}, el("button", { type: "button", onclick: () => this.choose(point) }, el("bdi", {}, point.name)))),
      more > 0 && el("li", { className: "soft" }, `and ${more.toLocaleString("en")} more: write more of the ${this.options.of === "users" ? "id" : "title"}`)].filter(Boolean);
  }

  choose(point) {
    this.atlas.show(point);
    return this.describe(point);
  }

  // Points as a list: for somebody in their order, else those with most ratings first.
  async listed(points) {
    const { details, options, who } = this;
    this.atlas.mark(points.map((one) => one.id));
    const noun = options.of === "users" ? "person" : "film";
    say(`${counted(points.length, noun)} inside`);
    if (!points.length) return details.replaceChildren(el("p", {}, "Nothing lies inside."));
    const known = [...points].sort((a, b) => b.n_ratings - a.n_ratings).slice(0, MOST_LISTED);
    const link = (id, name) => el("li", {}, el("a", { href: options.of === "users" ? address("list", { user: id }) : address("film", { item: id }) }, el("bdi", {}, name)));
    let [rows, order] = [known.map((one) => link(one.id, one.name)), known.length < points.length ? ` The ${MOST_LISTED} with most ratings:` : ""];
    if (who && options.of === "items") {
      const answer = await post("/v1/recommendations", { ...who, items: known.map((one) => one.id), n: BEST });
      [rows, order] = [answer.items.map((one) => link(one.item_id, label(one))), ` The best of them for ${nameOf(who)}:`];
    }
    return details.replaceChildren(el("h2", {}, `${counted(points.length, noun)} inside`), el("p", { className: "soft" }, order), el("ol", {}, rows));
  }

  // Where somebody is: their own point, or the middle of what they rated highest.
  async locate() {
    const { who, options, where } = this;
    const name = who.user === undefined ? "you are here" : `${nameOf(who)} is here`;
    if (options.of === "users") {
      const own = this.ids.get(who.user);
      return own && this.atlas.locate({ name, x: own.x, y: own.y });
    }
    const ratings = who.user === undefined ? who.ratings || [] : (await get(`/v1/users/${segment(who.user)}`)).ratings;
    const liked = [...ratings].sort((a, b) => b.rating - a.rating).slice(0, LIKED).map((one) => this.ids.get(one.item_id)).filter(Boolean);
    if (!liked.length) return undefined;
    const mean = (of) => liked.reduce((sum, one) => sum + of(one), 0) / liked.length;
    where.replaceChildren(`The circle is where ${name.replace(" here", "")}: in the middle of the ${counted(liked.length, "film")} rated highest.`);
    where.hidden = false;
    return this.atlas.locate({ name, x: mean((one) => one.x), y: mean((one) => one.y) });
  }

  // Lines from what somebody rated to what their list recommends; as thick as the term in the score.
  async lead() {
    const { who, model } = this;
    const by = model.views.includes("history") ? "history" : "true";
    const answer = await (who.user === undefined ? post("/v1/recommendations", { ...who, n: BEST, why: by })
      : get(`/v1/users/${segment(who.user)}/recommendations`, { n: BEST, why: by }));
    const shown = answer.items.filter((item) => this.ids.has(item.item_id));
    const lines = shown.flatMap((item) => item.why.terms.filter((term) => term.kind === "rating" && term.value > 0 && this.names.has(term.name))
      .map((term) => ({ from: this.names.get(term.name), to: this.ids.get(item.item_id), weight: term.value })));
    const most = Math.max(...lines.map((line) => line.weight), 1e-9);
    this.atlas.mark([...shown.map((one) => one.item_id), ...lines.map((line) => line.from.id)], lines.map((line) => ({ ...line, weight: line.weight / most })));
    const from = lines.length ? ` Lines lead to them from the ratings that speak for them; the thicker, the more.` : "";
    this.details.replaceChildren(el("p", {}, `${shown.length} of the ${answer.items.length} best for ${nameOf(who)} are on the map, and marked.${from}`));
    say(`${shown.length} films are marked`);
  }

  async describe(point) {
    const { details, options, who } = this;
    if (options.of === "users") {
      details.replaceChildren(el("p", {}, el("a", { href: address("list", { user: point.id }) }, "Person ", el("bdi", {}, point.name), ": what to watch, and why")));
      return;
    }
    const [item, near] = await Promise.all([getOnce(`/v1/items/${segment(point.id)}`), getOnce(`/v1/items/${segment(point.id)}/similar`, { n: 5 })]);
    const asked = who?.user === undefined ? null : el("a", { href: address("list", { ...whoInAddress(read().query), item: point.id }) }, `Why, or why not, for person ${who.user}?`);
    details.replaceChildren(
      el("h2", {}, el("a", { href: address("film", { item: point.id }) }, named(item))),
      el("p", {}, `${item.genres.join(", ")}${item.genres.length ? " · " : ""}${counted(item.n_ratings, "rating")}${item.mean_rating ? `, ${item.mean_rating.toFixed(2)} on average` : ""}`),
      el("p", {}, "Much like ", near.items.flatMap((one, place) => [place ? ", " : "", named(one)]), "."), ...(asked ? [el("p", {}, asked)] : []));
  }
}
