// How good the model is, and what it is.

import { chart, columnWidth, el, facts, table } from "./dom.js";
import { get } from "./api.js";
import { jsonAt } from "./json.js";
import { online } from "./online.js";

const METRICS = { rmse: "error (RMSE)", mae: "error (MAE)", "ndcg@10": "NDCG@10", "precision@10": "precision@10", "recall@10": "recall@10", "coverage@10": "coverage@10" };
const SIGNS = { better: "✓", tied: "=", worse: "!" };

export async function quality({ model }) {
  const [answer, shown] = await Promise.all([get("/v1/quality", { width: columnWidth() }), online()]);
  jsonAt("/v1/quality");
  return [el("h1", {}, "How good it is"), ...own(answer.own), shown, ...beside(answer.lists),
    ...comparison(answer), charts(answer.charts), ...card(model)].filter(Boolean);
}

const charts = (drawings) => el("div", { className: "columns" }, drawings.map((one) => chart(one, "h3")));

// What was measured of this very model: its algorithm on ratings held out of its own.
function own(measured) {
  const title = el("h2", {}, "This model");
  if (!measured) {
    return [title, el("p", {}, "The errors of this model were not measured. Measure them, and reload:"),
      el("pre", { className: "panel" }, "matinee measure MODEL")];
  }
  const rows = measured.metrics.filter((row) => row.metric in METRICS).map((row) => ({
    metric: METRICS[row.metric],
    "this model": row.value.toFixed(4) + (row.interval ? ` ±${((row.interval[1] - row.interval[0]) / 2).toFixed(4)}` : ""),
    "most popular": row.popularity === null ? "–" : row.popularity.toFixed(4),
  }));
  return [title,
    measured.judgement && el("p", { className: `verdict ${measured.verdict}` },
      el("strong", { "aria-hidden": "true" }, `${SIGNS[measured.verdict]} `), measured.judgement),
    el("p", { className: "soft" }, `Its algorithm and settings, fitted on four fifths of its ratings and measured on the rest: ${measured.n_ratings.toLocaleString("en")} ratings, ${measured.n_users.toLocaleString("en")} people. ± is half of the 95 % interval over people.`),
    table(rows, "Measured quality"), charts(measured.charts)];
}

function beside({ summary, pairs }) {
  return [el("h2", {}, "Its lists, beside the most popular"), el("p", {}, summary),
    el("div", { className: "pairs" }, pairs.map((pair) => el("section", { className: "panel" },
      el("h3", {}, "Person ", el("a", { href: `#list?user=${encodeURIComponent(pair.user_id)}` }, pair.user_id), `, ${pair.n_rated.toLocaleString("en")} rated`),
      el("p", { className: "soft" }, `${pair.shared} of ${pair.items.length} are on both (•).`),
      el("div", { className: "two" }, column("Its list", pair.items, pair.popular), column("Most popular", pair.popular, pair.items)))))];
}

function column(title, items, others) {
  const both = new Set(others.map((one) => one.item_id));
  return el("div", {}, el("h4", {}, title), el("ol", {}, items.map((one) =>
    el("li", {}, el("bdi", {}, one.label), both.has(one.item_id) && " •"))));
}

function comparison({ comparison: rows, comparison_data: data, curve_data: curve, origin }) {
  const other = (what, of) => of && !of.is_own && el("p", { className: "verdict worse" },
    el("strong", { "aria-hidden": "true" }, "! "), `${what} is of other ratings than this model${of.fingerprint ? ` (data ${of.fingerprint})` : ""}, so its figures are not those of this model.`);
  if (!rows.length) {
    return [el("h2", {}, "Algorithms compared"),
      el("p", {}, "This server has no record of a comparison. Compare algorithms with a record, and serve it:"),
      el("pre", { className: "panel" }, "matinee compare DATA --record runs.jsonl\nmatinee serve MODEL --record runs.jsonl"),
      other("The curve below", curve)];
  }
  const known = (name) => rows.map((row) => row[name]).filter((value) => value !== undefined && value !== null);
  const names = Object.keys(METRICS).filter((name) => known(name).length);
  const best = Object.fromEntries(names.map((name) =>
    [name, name === "rmse" || name === "mae" ? Math.min(...known(name)) : Math.max(...known(name))]));
  const figure = (value, name) => value === undefined || value === null ? "–" : `${value.toFixed(4)}${value === best[name] ? " ★" : ""}`;
  const shown = rows.map((row) => ({
    algorithm: row.algorithm,
    ...Object.fromEntries(names.map((name) => [METRICS[name], figure(row[name], name)])),
    "fit, s": row.fit_seconds === null ? "–" : row.fit_seconds.toFixed(2),
  }));
  return [
    el("h2", {}, data.is_own ? "Algorithms compared on its ratings" : "Algorithms compared on other ratings"),
    other("This comparison", data),
    el("p", {}, `Each algorithm was fitted on one part of the ratings and measured on the rest (split: ${origin.split}${origin.seed === undefined || origin.seed === null ? "" : `, seed ${origin.seed}`}). ★ is the best. For errors lower is better, for all else higher.`),
    table(shown, "Algorithms compared"), other("The curve below", curve),
  ];
}

// A setting in words; an algorithm is its name, and those of its settings that are given.
function inWords(value) {
  if (Array.isArray(value)) return value.map(inWords).join("; ");
  if (typeof value !== "object" || value === null) return value;
  const { algorithm, ...settings } = value;
  const given = Object.entries(settings).filter(([, one]) => one !== null).map(([name, one]) => `${name} ${inWords(one)}`);
  return [algorithm, ...given].filter(Boolean).join(", ");
}

function card(model) {
  const plain = (of) => Object.fromEntries(Object.entries(of).map(([name, value]) => [name, inWords(value)]));
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
