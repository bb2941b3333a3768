// The map: items or people by taste, with search, zoom and the details of a point.

import { choice, counted, el, label, picture, say, table, width } from "./dom.js";
import { get, getOnce, path, post, segment } from "./api.js";
import { jsonAt } from "./json.js";
import { address, note, someone } from "./state.js";

const COLORS = { genre: "genre", decade: "decade", taste: "taste" };

export function usualMap(model) {
  return { of: "items", color: model.genres.length ? "genre" : "taste", width: width(undefined, 900) };
}

export async function map({ query, model }) {
  if (model.n_factors < 2) return [el("h1", {}, "Map"), el("p", {}, "A map needs a model with two tastes or more.")];
  const options = { of: query.get("of") || "items", color: query.get("color") || usualMap(model).color };
  const place = el("div");
  const search = query.get("q") || "";
  const draw = async () => {
    const where = { ...usualMap(model), of: options.of, color: options.of === "users" ? "taste" : options.color };
    jsonAt(path("/v1/map", { of: where.of, color: where.color }));
    const drawing = (await getOnce("/v1/map", where)).charts[0];
    place.replaceChildren(...view(drawing, options, query, search));
    say(drawing.title);
  };
  const change = (name, value) => { options[name] = value; note({ [name]: value }); colors.hidden = options.of === "users"; draw(); };
  const colors = choice("Coloured by", "color", Object.entries(COLORS).filter(([name]) => name !== "genre" || model.genres.length), options.color, (value) => change("color", value));
  colors.hidden = options.of === "users";
  await draw();
  return [el("h1", {}, "The map of tastes"),
    el("div", { className: "row" }, choice("Of", "of", [["items", "films"], ["users", "people"]], options.of, (value) => change("of", value)), colors), place];
}

function view(drawing, options, query, search) {
  const svg = picture(drawing.svg);
  const box = el("div", { className: "map" }, svg);
  const details = el("div", { role: "status" }, el("p", { className: "soft" }, "Choose a point to see what it is."));
  const names = new Map(drawing.rows.map((row) => [row.id, row.name]));
  svg.addEventListener("click", (event) => {
    const id = event.target.closest("[data-id]")?.dataset.id;
    if (id) describe(details, options.of, id, names.get(id));
  });
  const field = el("input", { type: "search", name: "q", value: search, oninput: () => { mark(field.value); note({ q: field.value }); } });
  const mark = (query) => {
    const text = query.trim().toLowerCase();
    const hits = text ? drawing.rows.filter((row) => row.name.toLowerCase().includes(text)).map((row) => row.id) : [];
    highlight(box, svg, hits);
    if (text) say(`${hits.length} found`);
    if (hits.length === 1) describe(details, options.of, hits[0], names.get(hits[0]));
  };
  if (search) mark(search);
  const who = someone(query);
  const mine = who && options.of === "items" && el("button", { onclick: async () => {
    const answer = who.user === undefined ? await post("/v1/recommendations", { ...who, n: 20 }) : await get(`/v1/users/${segment(who.user)}/recommendations`, { n: 20 });
    highlight(box, svg, answer.items.map((item) => item.item_id));
    say(`The ${answer.items.length} best for ${who.user === undefined ? "you" : `person ${who.user}`} are marked`);
  } }, who.user === undefined ? "Mark what suits you" : `Mark what suits person ${who.user}`);
  const list = el("details", {}, el("summary", {}, "The same as a list"));
  list.addEventListener("toggle", () => list.childElementCount < 2 && list.append(table(drawing.rows)));
  return [el("p", { className: "soft" }, drawing.summary),
    el("div", { className: "row" }, el("label", {}, "Find ", field), ...zooms(svg), mine), box, details, list];
}

function highlight(box, svg, ids) {
  const marks = new Set(ids);
  box.classList.toggle("searching", marks.size > 0);
  for (const dot of svg.querySelectorAll("[data-id]")) dot.classList.toggle("found", marks.has(dot.dataset.id));
}

async function describe(details, of, id, name) {
  if (of === "users") {
    details.replaceChildren(el("p", {}, el("a", { href: address("list", { user: id }) }, `Person ${name}: what to watch, and why`)));
    return;
  }
  const [item, near] = await Promise.all([getOnce(`/v1/items/${segment(id)}`), getOnce(`/v1/items/${segment(id)}/similar`, { n: 5 }).catch(() => ({ items: [] }))]);
  details.replaceChildren(
    el("h2", {}, label(item)),
    el("p", {}, `${item.genres.join(", ")}${item.genres.length ? " · " : ""}${counted(item.n_ratings, "rating")}${item.mean_rating ? `, ${item.mean_rating.toFixed(2)} on average` : ""}`),
    near.items.length ? el("p", {}, `Much like ${near.items.map(label).join(", ")}.`) : "");
}

function zooms(svg) {
  const whole = svg.getAttribute("viewBox").split(" ").map(Number);
  let viewBox = [...whole];
  const zoom = (by, dx = 0, dy = 0) => {
    const [x, y, w, h] = viewBox;
    const [nw, nh] = [Math.min(w * by, whole[2]), Math.min(h * by, whole[3])];
    const nx = Math.min(Math.max(x + (w - nw) / 2 + dx * w, 0), whole[2] - nw);
    const ny = Math.min(Math.max(y + (h - nh) / 2 + dy * h, 0), whole[3] - nh);
    viewBox = [nx, ny, nw, nh];
    svg.setAttribute("viewBox", viewBox.join(" "));
  };
  svg.setAttribute("tabindex", "0");
  svg.addEventListener("keydown", (event) => {
    const moves = { "+": [0.7], "-": [1 / 0.7], ArrowLeft: [1, -0.15], ArrowRight: [1, 0.15], ArrowUp: [1, 0, -0.15], ArrowDown: [1, 0, 0.15] };
    if (!moves[event.key]) return;
    event.preventDefault();
    zoom(...moves[event.key]);
  });
  svg.addEventListener("dblclick", () => zoom(0.6));
  return [el("button", { "aria-label": "zoom in", onclick: () => zoom(0.7) }, "+"), el("button", { "aria-label": "zoom out", onclick: () => zoom(1 / 0.7) }, "−")];
}
