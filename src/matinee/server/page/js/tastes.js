// The tastes of the model as a wall of cards; whoever has the token may name them.

import { chart, el, say } from "./dom.js";
import { forget, getOnce, hasToken, keepToken, patch } from "./api.js";
import { jsonAt } from "./json.js";

export async function tastes({ model }) {
  jsonAt("/v1/tastes");
  if (!model.has_tastes) {
    return [el("h1", {}, "Tastes"), el("p", {}, `A model of ${model.algorithm} keeps no tastes; those of nmf and mf do.`)];
  }
  const found = await getOnce("/v1/tastes", { width: 300 });
  say(`${found.tastes.length} tastes`);
  return [
    el("h1", {}, "The tastes that the model found"),
    el("p", {}, "A taste is what films have in common for the people who rate them. Nobody told the model: it found them in the ratings, and the names are the genres that stand out among the strongest films."),
    el("div", { className: "cards" }, found.tastes.map((taste, place) => card(taste, found.charts[place]))),
  ];
}

function card(taste, drawn) {
  const name = el("h2", {}, taste.name);
  const share = `${Math.round(100 * taste.share)} % of what tastes add to scores; the strongest taste of ${taste.n_people.toLocaleString("en")} people`;
  const stable = taste.stability === undefined || taste.stability === null ? null
    : el("p", { className: "soft" }, `Stability ${Number(taste.stability).toFixed(2)}: ${taste.stability >= 0.8 ? "found again with other seeds" : "not always found again with other seeds"}`);
  return el("article", { className: "card" }, name, el("p", { className: "soft" }, share), stable, chart(drawn), rename(taste, name));
}

function rename(taste, heading) {
  const field = el("input", { type: "text", name: "name", value: taste.name, maxLength: 80, required: true });
  const token = el("input", { type: "password", name: "token", autocomplete: "off" });
  const told = el("p", { role: "status" });
  const form = el("form", { className: "gap" },
    el("label", {}, "Name ", field),
    hasToken() ? null : el("label", {}, "Token ", token),
    " ", el("button", {}, "Save"), told);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (token.value) keepToken(token.value.trim());
    try {
      const answer = await patch(`/v1/tastes/${taste.number}`, { name: field.value.trim() });
      heading.textContent = answer.taste.name;
      told.textContent = "Saved.";
      forget();
    } catch (error) {
      told.textContent = error.message;
    }
  });
  return el("details", {}, el("summary", {}, "Rename"), form);
}
