// What is in the ratings.

import { chart, columnWidth, counted, el, facts, percent } from "./dom.js";
import { getOnce } from "./api.js";
import { jsonAt } from "./json.js";

export async function data() {
  const about = await getOnce("/v1/data", { width: columnWidth() });
  const d = about.description;
  jsonAt("/v1/data");
  return [
    el("h1", {}, "What the model learned from"),
    facts({ people: d.users, films: d.items, ratings: d.ratings, "empty cells": percent(d.sparsity, 1),
      "mean rating": d.mean, scale: d.scale.join(" to "), "half of the people rated": `${counted(d.per_user.median, "film")} or fewer`, fingerprint: d.fingerprint }),
    el("div", { className: "columns" }, about.charts.map((one) => chart(one, "h2"))),
  ];
}
