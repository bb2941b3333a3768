// A film: what is known of it, its tastes, what is like it, and who likes it.

import { counted, el, facts, label, named, percent, table } from "./dom.js";
import { getOnce, segment } from "./api.js";
import { findFilms } from "./search.js";
import { suggest } from "./suggest.js";
import { address, go } from "./state.js";
import { jsonAt } from "./json.js";

export async function film({ query, model }) {
  const search = suggest({ label: "Film", name: "film", find: findFilms, hint: "a film", onpick: (one) => go("film", { item: one.id }) });
  const id = query.get("item");
  if (!id) return [el("h1", {}, "A film"), el("p", {}, "Which? ", search.node)];
  jsonAt(`/v1/items/${segment(id)}`);
  const [item, near, fans] = await Promise.all([
    getOnce(`/v1/items/${segment(id)}`),
    model.has_similar ? getOnce(`/v1/items/${segment(id)}/similar`, { n: 10 }) : { items: [] },
    getOnce(`/v1/items/${segment(id)}/raters`, { n: 12 }),
  ]);
  const scale = model.kind === "rating" ? " ★" : "";
  const parts = [
    fans.users.length > 0 && el("section", {}, el("h2", {}, "Who rated it highest"),
      el("ul", { className: "chips" }, fans.users.map((one) => el("li", {}, el("a", { className: "button", href: address("list", { user: one.user, item: id }) }, el("bdi", {}, one.user), " ", el("small", {}, `${one.rating}${scale}`)))))),
    near.items.length > 0 && el("section", {}, el("h2", {}, "Much like it"),
      el("ul", { className: "like" }, near.items.map((one) => el("li", {}, el("a", { href: address("film", { item: one.item_id }) }, named(one)), el("span", { className: "soft" }, ` ${percent(one.similarity)} alike`))))),
    item.tastes.length > 0 && el("section", {}, el("h2", {}, "Its tastes"), table(item.tastes.slice(0, 12).map((taste) => ({ taste: taste.name, weight: taste.weight })))),
    fans.spread.length > 0 && el("section", {}, el("h2", {}, "Its ratings"), spread(fans.spread)),
  ];
  return [
    el("h1", {}, named(item)),
    el("p", {}, item.genres.join(", ")),
    facts({ ratings: item.n_ratings, ...(item.mean_rating === null ? {} : { "on average": `${item.mean_rating.toFixed(2)} ★` }),
      ...Object.fromEntries(Object.entries(item.features).slice(0, 8).map(([name, values]) => [name, values.slice(0, 4).join(", ")])), id }),
    el("div", { className: "parts" }, parts),
    el("p", {}, el("a", { href: address("map", { q: label(item) }) }, "Show it on the map")),
  ].filter(Boolean);
}

function spread(rows) {
  const most = Math.max(...rows.map((row) => row.n));
  return el("ul", { className: "spread" }, rows.map((row) => el("li", {}, el("span", {}, `${row.rating} ★`), el("meter", { min: 0, max: most, value: row.n, "aria-label": `${row.rating} stars` }), el("span", {}, counted(row.n, "person")))));
}
