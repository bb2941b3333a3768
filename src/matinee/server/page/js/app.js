// The page: six sections, shown one at a time, each drawn from the address.

import { ask } from "./ask.js";
import { columnWidth, counted, el, problem, say } from "./dom.js";
import { get, getOnce, keepToken } from "./api.js";
import { takeToken } from "./early.js";
import { read, whoInAddress, address } from "./state.js";
import { find } from "./find.js";
import { film } from "./film.js";
import { list } from "./list.js";
import { tastes } from "./tastes.js";
import { map, usualMap } from "./map.js";
import { data } from "./data.js";
import { quality } from "./quality.js";

const SECTIONS = { find, list, film, tastes, map, data, quality };
const TITLES = { find: "Find a person", list: "Recommendations", film: "Film", tastes: "Tastes", map: "Map", data: "Data", quality: "Quality" };
const main = document.getElementById("main");
let model = null;
let drawing = 0;
let lastSection = null;
let who = {}; // the person looked at last; links in the other sections lead back to them
const PATIENCE = 150; // milliseconds before the old view gives way to a sign of loading
const question = ask();
document.getElementById("ask-place").append(question.form);

export async function draw() {
  takeToken();
  const turn = ++drawing;
  const { section, query } = read();
  const draws = SECTIONS[section] || find;
  const person = whoInAddress(query);
  if (Object.keys(person).length) who = person;
  for (const link of document.querySelectorAll("nav a")) {
    const isCurrent = link.dataset.section === section;
    isCurrent ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    if (link.dataset.section === "list" || link.dataset.section === "map") {
      link.href = address(link.dataset.section, who);
    }
  }
  document.title = `${TITLES[section] || TITLES.find} · Matinee`;
  say("");
  question.asked(query, who);
  const loading = setTimeout(() => turn === drawing && main.replaceChildren(...waiting(section)), PATIENCE);
  try {
    if (!model) {
      const answer = await get("/v1/model");
      model = { ...answer.model, beside: answer.beside };
      const about = `${model.algorithm} · ${counted(model.n_ratings, "rating")} of ${counted(model.n_items, "item")} by ${counted(model.n_users, "person")}`;
      document.getElementById("about").textContent = about;
    }
    const content = await draws({ query, model, current: () => turn === drawing });
    if (turn !== drawing) return;
    main.replaceChildren(...content);
    if (lastSection !== null && lastSection !== section) main.focus({ preventScroll: true });
    lastSection = section;
  } catch (error) {
    if (turn === drawing) main.replaceChildren(...wrong(error));
  } finally {
    clearTimeout(loading);
  }
  document.body.dataset.ready = String(drawing);
}

// What stands there while a section loads: its title, and grey lines.
function waiting(section) {
  return [el("h1", {}, TITLES[section] || TITLES.find), el("p", { className: "hidden" }, "Loading…"),
    el("div", { className: "waiting", "aria-hidden": "true" }, Array.from({ length: 6 }, () => el("div")))];
}

function wrong(error) {
  if (error.status !== 401) {
    return [el("h1", {}, "That did not work"), problem(error, draw), el("p", {}, el("a", { href: "#find" }, "Find a person"))];
  }
  say(error.message);
  const field = el("input", { type: "password", name: "token", autocomplete: "off", required: true });
  const form = el("form", { onsubmit: (event) => { event.preventDefault(); keepToken(field.value.trim()); draw(); } },
    el("label", {}, "The server's token ", field), " ", el("button", { className: "main" }, "Continue"));
  return [el("h1", {}, "This server needs a token"), el("p", {}, error.message), form];
}

addEventListener("hashchange", draw);
draw();

// Sections that take a moment to draw are prefetched when a click is likely.
const PREFETCH = {
  tastes: () => getOnce("/v1/tastes", { width: 300 }),
  data: () => getOnce("/v1/data", { width: columnWidth() }),
  map: () => getOnce("/v1/map", usualMap(model)),
};
for (const link of document.querySelectorAll("nav a")) {
  const prefetch = () => model && PREFETCH[link.dataset.section]?.().catch(() => null);
  link.addEventListener("pointerenter", prefetch);
  link.addEventListener("focus", prefetch);
}
