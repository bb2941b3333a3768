// The tastes of the model as cards; a client with the token may rename them.

import { chart, el, partsOf, say } from "./dom.js";
import { forget, getOnce, hasToken, keepToken, patch } from "./api.js";
import { jsonAt } from "./json.js";

export async function tastes({ model }) {
  jsonAt("/v1/tastes");
  if (!model.has_tastes) {
    return [el("h1", {}, "Tastes"), el("p", {}, `A ${model.algorithm} model has no tastes; nmf and mf models do.`)];
  }
  const answer = await getOnce("/v1/tastes", { width: 300 });
  say(`${answer.tastes.length} tastes`);
  return [
    el("h1", {}, "The tastes that the model found"),
    el("p", {}, "A taste is what films have in common for the people who rate them. Nobody defined them: the model found them in the ratings, and a name is what stands out among the strongest films. A bar is what the taste adds to the score of a film for a typical person."),
    el("div", { className: "cards" }, answer.tastes.map((taste, place) => card(taste, answer.charts[place]))),
  ];
}

function card(taste, drawing) {
  const name = el("h2", {}, partsOf(taste.name));
  return el("article", { className: "card" }, name, el("p", { className: "soft" }, drawing.summary), chart(drawing, "h3", ""), rename(taste, name));
}

function rename(taste, heading) {
  const field = el("input", { type: "text", name: "name", value: taste.name, maxLength: 80, required: true });
  const token = el("input", { type: "password", name: "token", autocomplete: "off" });
  const status = el("p", { role: "status" });
  const form = el("form", { className: "gap" },
    el("label", {}, "Name ", field),
    hasToken() ? null : el("label", {}, "Token ", token),
    " ", el("button", {}, "Save"), status);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (token.value) keepToken(token.value.trim());
    try {
      const answer = await patch(`/v1/tastes/${taste.number}`, { name: field.value.trim() });
      heading.textContent = answer.taste.name;
      status.textContent = "Saved.";
      forget();
    } catch (error) {
      status.textContent = error.message;
    }
  });
  return el("details", {}, el("summary", {}, "Rename"), form);
}
