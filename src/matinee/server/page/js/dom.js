// Elements from data. Text is inserted as text, never as markup. Pictures drawn by the server are
// parsed as XML; one with scripts, links or event handlers is refused.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((one) => one !== undefined && one !== null && one !== false));
  return node;
}

const SHAPES = new Set(["svg", "rect", "circle", "line", "path", "text", "title", "g"]);

export function picture(svg) {
  const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  for (const one of [root, ...root.querySelectorAll("*")]) {
    const acts = [...one.attributes].some((a) => a.name.startsWith("on") || a.name.includes("href"));
    if (!SHAPES.has(one.localName) || acts) throw new Error("the server sent a picture with forbidden content");
  }
  return document.importNode(root, true);
}

export function chart(drawing, heading = "h3", summary = drawing.summary) {
  const figures = el("details", { className: "figures" }, el("summary", {}, "The figures"));
  figures.addEventListener("toggle", () => figures.childElementCount < 2 && figures.append(table(drawing.rows, drawing.title)));
  const caption = el("figcaption", {}, el(heading, {}, isolated(drawing.title, [drawing.film])), summary && el("p", { className: "soft" }, summary));
  return el("figure", { className: "chart-figure" }, caption, picture(drawing.svg), figures);
}

// A table that scrolls in itself; `title` says of what it is.
export function table(rows, title = "table", columns = rows.length ? Object.keys(rows[0]) : []) {
  const most = 1000;
  const body = rows.slice(0, most).map((row) =>
    el("tr", {}, columns.map((name, place) =>
      el(place ? "td" : "th", place ? {} : { scope: "row" }, format(row[name])))));
  const head = el("thead", {}, el("tr", {}, columns.map((name) => el("th", { scope: "col" }, name))));
  return el("div", { className: "table", tabIndex: 0, role: "group", "aria-label": title },
    el("table", {}, head, el("tbody", {}, body)),
    rows.length > most && el("p", { className: "soft" }, `and ${rows.length - most} more`));
}

export function format(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return Number.isInteger(value) ? value.toLocaleString("en") : value.toFixed(Math.abs(value) < 10 ? 3 : 1);
  return String(value);
}

export function facts(pairs) {
  return el("dl", { className: "facts" }, Object.entries(pairs).map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, format(value)))));
}

// A sentence in which the names of tastes, films and features are emphasized.
export function sentence(why, title = "") {
  let words = why.sentence;
  const called = title && [title, `item ${title}`].find((name) => words.startsWith(name));
  if (called) words = words.slice(called.length).replace(/^[,:]? /, "");
  const kinds = ["taste", "choice", "rating", "feature"];
  const names = why.terms.filter((term) => kinds.includes(term.kind)).map((term) => term.name.replace(/^you choose (less than others: )?/, ""));
  return isolated(words, [...names, ...(title ? [] : [label(why)])], (name) => el("em", {}, partsOf(name)));
}

// A name, of a taste or an item, in which each title keeps its own direction: "films like A & B".
export function partsOf(name) {
  const parts = name.split(/( like | & )/);
  return el("bdi", {}, parts.length === 1 ? name : parts.map((part, place) => (place % 2 ? part : el("bdi", {}, part))));
}

// Words in which each name keeps its own direction, whatever stands around it.
export function isolated(words, names, as = (name) => el("bdi", {}, name)) {
  const longest = names.filter(Boolean).sort((a, b) => b.length - a.length);
  const parts = [];
  for (;;) {
    const hits = longest.map((name) => [words.indexOf(name), name]).filter(([at]) => at >= 0);
    if (!hits.length) break;
    const [at, name] = hits.reduce((a, b) => (b[0] < a[0] ? b : a));
    parts.push(words.slice(0, at), as(name));
    words = words.slice(at + name.length);
  }
  return [...parts, words];
}

export function choice(legend, name, options, current, onchange) {
  return el("fieldset", {}, el("legend", {}, legend), el("div", { className: "choice" },
    options.map(([value, words]) => el("label", {},
      el("input", { type: "radio", name, value, checked: value === current, onchange: () => onchange(value) }), words))));
}

// A number with its noun: "1 rating", "2,000 ratings", "1 person", "2 people".
// A share of 1 as people read it, which no line breaks.
export function percent(share, decimals = 0) {
  return `${(100 * share).toFixed(decimals)}\u00a0%`;
}

export function counted(n, noun) {
  const plural = noun === "person" ? "people" : `${noun}s`;
  return `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;
}

// The label of an item, whose direction is its own.
export function named(item) {
  return el("bdi", {}, label(item));
}

// Words whose direction is their own, where no element can stand: in a status, or an attribute.
export const isolate = (words) => `\u2068${words}\u2069`;

export function label(item) {
  return item.year ? `${item.title} (${item.year})` : item.title;
}

export function width(of = document.getElementById("main"), most = 760) {
  const room = of.clientWidth || document.getElementById("main").clientWidth; // 0: not on the page yet
  return Math.round(Math.min(Math.max(room - 34, 260), most));
}

const COLUMN = { least: 544, gap: 32 }; // pixels of a column of charts, as .columns in style.css
const WIDEST_CHART = 960;

// The width of a chart in its column: the page has as many columns as have room.
export function columnWidth() {
  const room = width(undefined, Infinity);
  const n = Math.max(1, Math.floor((room + COLUMN.gap) / (COLUMN.least + COLUMN.gap)));
  return Math.min(Math.floor((room - COLUMN.gap * (n - 1)) / n), WIDEST_CHART);
}

export function say(words) {
  document.getElementById("status").textContent = words;
}

const LASTING = new Set([400, 404, 413, 422]); // a request so answered fails whenever it is sent

// What went wrong, and a button to try again, or what to do where that cannot help.
export function problem(error, again) {
  say(error.message);
  const remedy = LASTING.has(error.status)
    ? el("p", {}, "Trying again will not help. Correct the address, or ask for a film and a person above.")
    : el("button", { type: "button", className: "again", onclick: again }, "Try again");
  return el("div", { className: "problem", role: "alert" }, el("p", {}, error.message), remedy);
}
