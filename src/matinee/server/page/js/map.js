// The map: items or people by taste; search, zoom, and what one points at.

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
  const asked = { of: query.get("of") || "items", color: query.get("color") || usualMap(model).color };
  const place = el("div");
  const search = query.get("q") || "";
  const draw = async () => {
    const where = { ...usualMap(model), of: asked.of, color: asked.of === "users" ? "taste" : asked.color };
    jsonAt(path("/v1/map", { of: where.of, color: where.color }));
    const found = (await getOnce("/v1/map", where)).charts[0];
    place.replaceChildren(...shown(found, asked, query, search));
    say(found.title);
  };
  const change = (name, value) => { asked[name] = value; note({ [name]: value }); colors.hidden = asked.of === "users"; draw(); };
  const colors = choice("Coloured by", "color", Object.entries(COLORS).filter(([name]) => name !== "genre" || model.genres.length), asked.color, (value) => change("color", value));
  colors.hidden = asked.of === "users";
  await draw();
  return [el("h1", {}, "The map of tastes"),
    el("div", { className: "row" }, choice("Of", "of", [["items", "films"], ["users", "people"]], asked.of, (value) => change("of", value)), colors), place];
}

function shown(found, asked, query, search) {
  const svg = picture(found.svg);
  const box = el("div", { className: "map" }, svg);
  const told = el("div", { role: "status" }, el("p", { className: "soft" }, "Choose a point to see what it is."));
  const names = new Map(found.rows.map((row) => [row.id, row.name]));
  svg.addEventListener("click", (event) => {
    const id = event.target.closest("[data-id]")?.dataset.id;
    if (id) tell(told, asked.of, id, names.get(id));
  });
  const field = el("input", { type: "search", name: "q", value: search, oninput: () => { mark(field.value); note({ q: field.value }); } });
  const mark = (text) => {
    const wanted = text.trim().toLowerCase();
    const hits = wanted ? found.rows.filter((row) => row.name.toLowerCase().includes(wanted)).map((row) => row.id) : [];
    highlight(box, svg, hits);
    if (wanted) say(`${hits.length} found`);
    if (hits.length === 1) tell(told, asked.of, hits[0], names.get(hits[0]));
  };
  if (search) mark(search);
  const who = someone(query);
  const mine = who && asked.of === "items" && el("button", { onclick: async () => {
    const answer = who.user === undefined ? await post("/v1/recommendations", { ...who, n: 20 }) : await get(`/v1/users/${segment(who.user)}/recommendations`, { n: 20 });
    highlight(box, svg, answer.items.map((item) => item.item_id));
    say(`The ${answer.items.length} best for ${who.user === undefined ? "you" : `person ${who.user}`} are marked`);
  } }, who.user === undefined ? "Mark what suits you" : `Mark what suits person ${who.user}`);
  const listed = el("details", {}, el("summary", {}, "The same as a list"));
  listed.addEventListener("toggle", () => listed.childElementCount < 2 && listed.append(table(found.rows)));
  return [el("p", { className: "soft" }, found.summary),
    el("div", { className: "row" }, el("label", {}, "Find ", field), ...zooms(svg), mine), box, told, listed];
}

function highlight(box, svg, ids) {
  const wanted = new Set(ids);
  box.classList.toggle("searching", wanted.size > 0);
  for (const dot of svg.querySelectorAll("[data-id]")) dot.classList.toggle("found", wanted.has(dot.dataset.id));
}

async function tell(told, of, id, name) {
  if (of === "users") {
    told.replaceChildren(el("p", {}, el("a", { href: address("list", { user: id }) }, `Person ${name}: what to watch, and why`)));
    return;
  }
  const [item, near] = await Promise.all([getOnce(`/v1/items/${segment(id)}`), getOnce(`/v1/items/${segment(id)}/similar`, { n: 5 }).catch(() => ({ items: [] }))]);
  told.replaceChildren(
    el("h2", {}, label(item)),
    el("p", {}, `${item.genres.join(", ")}${item.genres.length ? " · " : ""}${counted(item.n_ratings, "rating")}${item.mean_rating ? `, ${item.mean_rating.toFixed(2)} on average` : ""}`),
    near.items.length ? el("p", {}, `Much like ${near.items.map(label).join(", ")}.`) : "");
}

function zooms(svg) {
  const whole = svg.getAttribute("viewBox").split(" ").map(Number);
  let view = [...whole];
  const zoom = (by, dx = 0, dy = 0) => {
    const [x, y, w, h] = view;
    const [nw, nh] = [Math.min(w * by, whole[2]), Math.min(h * by, whole[3])];
    const nx = Math.min(Math.max(x + (w - nw) / 2 + dx * w, 0), whole[2] - nw);
    const ny = Math.min(Math.max(y + (h - nh) / 2 + dy * h, 0), whole[3] - nh);
    view = [nx, ny, nw, nh];
    svg.setAttribute("viewBox", view.join(" "));
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
