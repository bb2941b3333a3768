// What became of the lists that were shown, by model, and the models compared by it.

import { el, percent, problem, table } from "./dom.js";
import { get } from "./api.js";

// The body of a request that reports one item as shown.
const EVENT = `{"events": [{"kind": "impression", "user_id": "42", "item_id": "heat-1995",
  "recommendation_id": "…"}]}`;
const SIGNED = { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" };

const rate = (share) => share === null ? "–" : percent(share, 1);
const points = (share) => (100 * share).toLocaleString("en", SIGNED).replace("-", "−");
const mean = (of) => of ? `${percent(of.estimate, 1)} (${(100 * of.low).toFixed(1)} to ${(100 * of.high).toFixed(1)})` : "–";
const atMost = (ms, latency) => !latency ? "–" : ms === null ? "over 10 s" : `${ms.toLocaleString("en")} ms`;

const HEAD = "by model"; // no name of a model has a blank
const ROWS = {
  people: (arm) => arm.users,
  "lists shown": (arm) => arm.lists,
  "items shown": (arm) => arm.impressions,
  "click-through": (arm) => rate(arm.click_through),
  "click-through by person (LEVEL)": (arm) => mean(arm.click_through_by_user),
  conversion: (arm) => rate(arm.conversion),
  "conversion by person (LEVEL)": (arm) => mean(arm.conversion_by_user),
  coverage: (arm) => rate(arm.coverage),
  "half of the lists within": ({ latency }) => atMost(latency?.median_ms, latency),
  "99 % of the lists within": ({ latency }) => atMost(latency?.p99_ms, latency),
};

// Drawn again by itself, so that the rest of the section does not depend on the store.
export async function online() {
  const place = el("section", { className: "online" });
  const draw = () => get("/v1/online").then(figures, (error) => [problem(error, draw)])
    .then((parts) => place.replaceChildren(el("h2", {}, "Online"), ...parts));
  await draw();
  return place;
}

function figures({ arms, comparisons, level }) {
  if (!arms.length) return [el("p", {}, "Nobody has reported yet which lists were shown. Tick “This is me” above your list, or send an event for each item that is shown or clicked, with the recommendation_id of its list:"),
    el("pre", { className: "panel" }, EVENT),
    el("p", {}, el("a", { href: "/docs#POST-v1-feedback" }, "How to send events"))];
  const certainty = percent(level);
  const rows = Object.entries(ROWS).map(([name, figure]) =>
    ({ [HEAD]: name.replace("LEVEL", certainty), ...Object.fromEntries(arms.map((arm) => [arm.arm, figure(arm)])) }));
  return [table(rows, "Lists shown, by model", [HEAD, ...arms.map((arm) => arm.arm)]), ...comparisons.flatMap((one) => compared(one, certainty)),
    el("p", { className: "soft" }, `Click-through is the clicked share of the items shown, conversion the share that was rated, liked, played or bought, coverage the share of all films that was shown. “By person” is the mean of each person's share, and models are compared by it. Its intervals hold however often one looks, and need 30 people. Times are those of lists that this server computed since it started.`)];
}

function compared({ arm, against, click_through, conversion }, certainty) {
  return [verdict(arm, against, "clicks", click_through, certainty), verdict(arm, against, "conversions", conversion, certainty)];
}

function verdict(arm, against, what, difference, certainty) {
  const words = (sign, kind, text) => el("p", { className: `verdict ${kind}` }, el("strong", { "aria-hidden": "true" }, `${sign} `), text);
  const doubt = `Too early to tell whether ${arm} or ${against} has more ${what}`;
  if (!difference) return words("=", "tied", `${doubt}: each needs 30 people.`);
  const { estimate, low, high, decided } = difference;
  const interval = `${points(estimate)} points, ${certainty} interval ${points(low)} to ${points(high)}.`;
  if (!decided) return words("=", "tied", `${doubt}: ${interval}`);
  return estimate > 0 ? words("✓", "better", `${arm} has more ${what} than ${against}: ${interval}`)
    : words("!", "worse", `${arm} has fewer ${what} than ${against}: ${interval}`);
}
