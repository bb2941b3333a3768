// Find a person: a user of the model, or a newcomer.

import { choice, counted, el, label, partsOf, problem, say } from "./dom.js";
import { get, getOnce } from "./api.js";
import { SAMPLES } from "./early.js";
import { jsonAt } from "./json.js";
import { address, go, keepImported, note } from "./state.js";
import { rateFilms } from "./newcomer.js";
import { read as readExport, match } from "./importing.js";

const POINTS = 10; // that a newcomer shares out among tastes

export async function find({ query, model }) {
  jsonAt("/v1/users");
  const samples = await getOnce("/v1/users", { n: SAMPLES });
  const ways = [["rate", "Rate films"], ...(model.has_tastes ? [["points", "Share points among tastes"]] : []), ["bring", "Bring your ratings"]];
  const start = ways.find(([way]) => way === query.get("way"))?.[0] || "rate";
  const place = el("div");
  const show = async (way) => {
    note({ way: way === "rate" ? null : way });
    const draws = { rate: rateFilms, points: sharePoints, bring: bringRatings };
    try {
      place.replaceChildren(...await draws[way](model, query));
    } catch (error) {
      place.replaceChildren(problem(error, () => show(way)));
    }
  };
  await show(start);
  return [
    el("h1", {}, "Who is watching?"),
    search(),
    el("p", { className: "soft" }, "Or one of these, from those with few ratings to those with many:"),
    el("ul", { className: "chips" }, samples.users.map(person)),
    el("h2", {}, "Somebody new"),
    choice("How", "way", ways, start, show), place,
  ];
}

function person({ user, n_ratings }) {
  return el("li", {}, el("a", { className: "button", href: address("list", { user }) }, el("bdi", {}, user), " ", el("small", {}, counted(n_ratings, "rating"))));
}

function search() {
  const results = el("ul", { className: "chips", id: "people-found" });
  let turn = 0;
  const look = async (text) => {
    const mine = ++turn;
    if (!text) return results.replaceChildren();
    const answer = await get("/v1/users", { q: text, n: 12 }).catch((error) => ({ users: [], total: 0, wrong: error.message }));
    if (mine !== turn) return;
    results.replaceChildren(...answer.users.map(person));
    say(answer.wrong || `${counted(answer.total, "person")} with ${text} in their id`);
  };
  const field = el("input", { type: "search", name: "q", id: "person-id", autocomplete: "off", "aria-controls": "people-found", oninput: () => look(field.value.trim()) });
  const open = (event) => { event.preventDefault(); if (field.value.trim()) go("list", { user: field.value.trim() }); };
  return el("form", { role: "search", onsubmit: open }, el("div", { className: "look-up" },
    el("label", { htmlFor: field.id }, "Id of a person"), field, el("button", { className: "main" }, "Show")), results);
}

// Share points among tastes.

async function sharePoints() {
  const { tastes } = await getOnce("/v1/tastes");
  const points = new Map();
  const left = el("p", { role: "status" }, `${POINTS} points left`);
  const done = el("button", { className: "main", disabled: true, onclick: () => go("list", { tastes: [...points].filter(([, p]) => p > 0).map(([f, p]) => `${f}:${p}`).join(",") }) }, "Show what to watch");
  const fields = tastes.slice(0, 16).map((taste) => {
    const field = el("input", { type: "number", min: 0, max: POINTS, step: 1, value: 0, oninput: () => {
      const others = [...points].reduce((sum, [f, p]) => sum + (f === taste.number ? 0 : p), 0);
      const share = Math.max(0, Math.min(Math.round(Number(field.value) || 0), POINTS - others));
      if (String(share) !== field.value && field.value !== "") field.value = share;
      points.set(taste.number, share);
      left.textContent = `${POINTS - others - share} points left`;
      done.disabled = others + share === 0;
    } });
    return el("div", { className: "card" }, el("label", {}, el("strong", {}, partsOf(taste.name)), field),
      el("p", { className: "soft" }, `such as ${taste.top.slice(0, 3).map(label).join(", ")}`));
  });
  return [el("p", {}, `You have ${POINTS} points. Give most to what you like most.`), el("div", { className: "cards points" }, fields), left, done];
}

// Bring an export of another site: the browser reads it and looks its titles up on this server.

async function bringRatings(model) {
  const status = el("p", { role: "status" });
  const done = el("button", { className: "main", disabled: true, onclick: () => go("list", { new: "imported" }) }, "Show what to watch");
  const take = async (file) => {
    done.disabled = true;
    try {
      const { source, films } = readExport(await file.text(), model.scale);
      status.textContent = `${counted(films.length, "rating")} from ${source}; looking the titles up…`;
      const { ratings, missing } = await match(films, (n) => { status.textContent = `${n} of ${films.length} looked up…`; });
      keepImported(ratings);
      status.textContent = `${ratings.length} of ${films.length} films are known here.` + (missing.length ? ` Not known: ${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ", …" : ""}.` : "");
      done.disabled = !ratings.length;
      say(status.textContent);
    } catch (error) {
      status.textContent = error.message;
    }
  };
  const field = el("input", { type: "file", accept: ".csv,text/csv", name: "export", onchange: () => field.files[0] && take(field.files[0]) });
  return [
    el("p", {}, "Your own ratings.csv, as Letterboxd or IMDb export it. The file is read here in the browser; the titles are looked up on this server, and nothing of it is stored."),
    el("label", {}, "Your ratings.csv ", field), status, done,
  ];
}
