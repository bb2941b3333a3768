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
    el("p", {}, "A taste is what films have in common for the people who rate them. Nobody told the model: it found them in the ratings, and the names are what stands out among the strongest films. A bar is what a taste adds to the score of a film for somebody typical."),
    el("div", { className: "cards" }, found.tastes.map((taste, place) => card(taste, found.charts[place]))),
  ];
}

function card(taste, drawn) {
  const name = el("h2", {}, taste.name);
  return el("article", { className: "card" }, name, el("p", { className: "soft" }, drawn.summary), chart(drawn, "h3", ""), rename(taste, name));
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
