// What is in the ratings.

import { chart, el, facts, width } from "./dom.js";
import { getOnce } from "./api.js";
import { jsonAt } from "./json.js";

export async function data() {
  const about = await getOnce("/v1/data", { width: width() });
  const d = about.description;
  jsonAt("/v1/data");
  return [
    el("h1", {}, "What the model learned from"),
    facts({ people: d.users, films: d.items, ratings: d.ratings, "empty cells": `${(100 * d.sparsity).toFixed(1)} %`,
      "mean rating": d.mean, scale: d.scale.join(" to "), "ratings a person gave, half of them": `${d.per_user.median} or fewer`, fingerprint: d.fingerprint }),
    ...about.charts.map((one) => chart(one, "h2")),
  ];
}
