// How good the model is, and what it is.

import { chart, el, facts, table, width } from "./dom.js";
import { get } from "./api.js";
import { jsonAt } from "./json.js";

const METRICS = { rmse: "error (RMSE)", mae: "error (MAE)", "ndcg@10": "NDCG@10", "precision@10": "precision@10", "recall@10": "recall@10", "coverage@10": "coverage@10" };

export async function quality({ model }) {
  const answer = await get("/v1/quality", { width: width() });
  jsonAt("/v1/quality");
  return [el("h1", {}, "How good it is"), ...comparisonTable(answer), ...answer.charts.map((one) => chart(one, "h2")), ...card(model)];
}

function comparisonTable({ comparison, origin }) {
  if (!comparison.length) {
    return [el("p", {}, "This server has no record of a comparison. Compare algorithms with a record, and serve it:"),
      el("pre", { className: "panel" }, "matinee compare DATA --record runs.jsonl\nmatinee serve MODEL --record runs.jsonl")];
  }
  const known = (name) => comparison.map((row) => row[name]).filter((value) => value !== undefined && value !== null);
  const names = Object.keys(METRICS).filter((name) => known(name).length);
  const best = Object.fromEntries(names.map((name) =>
    [name, name === "rmse" || name === "mae" ? Math.min(...known(name)) : Math.max(...known(name))]));
  const figure = (value, name) => value === undefined || value === null ? "–" : `${value.toFixed(4)}${value === best[name] ? " ★" : ""}`;
  const rows = comparison.map((row) => ({
    algorithm: row.algorithm,
    ...Object.fromEntries(names.map((name) => [METRICS[name], figure(row[name], name)])),
    "fit, s": row.fit_seconds === null ? "–" : row.fit_seconds.toFixed(2),
  }));
  return [
    el("p", {}, `Each algorithm was fitted on one part of the ratings and measured on the rest (split: ${origin.split}${origin.seed === undefined || origin.seed === null ? "" : `, seed ${origin.seed}`}). ★ is the best. For errors lower is better, for all else higher.`),
    table(rows),
  ];
}

function card(model) {
  const plain = (of) => Object.fromEntries(Object.entries(of).map(([name, value]) =>
    [name, typeof value === "object" && value !== null ? JSON.stringify(value) : value]));
  return [
    el("h2", {}, "The model"),
    facts({ algorithm: model.algorithm, version: model.version, "scores are": model.kind === "rating" ? "stars" : "for ranking only", "fitted on": model.data_fingerprint }),
    el("h3", {}, "Settings"), facts(plain(model.settings)),
    el("h2", {}, "What it is for, and what not"),
    el("ul", {},
      el("li", {}, "It suggests films to people whose ratings it knows, and says why in terms that add up."),
      el("li", {}, "Known people are scored by their ratings alone; facts about newcomers, where given, help with their first list. What nobody like you has rated, it can only guess."),
      el("li", {}, "People rate what they chose to see, and mostly what they like: unseen films are not like seen ones."),
      el("li", {}, "Reasons say how a score comes about in the model; they are not causes in the world.")),
  ];
}
