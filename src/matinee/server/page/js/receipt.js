// A receipt of one score to keep: as SVG, as PNG, or on paper; and copies of links and reasons.

import { el, problem, say, width } from "./dom.js";
import { post } from "./api.js";
import { latest } from "./latest.js";

const WIDEST = 640; // pixels

// A box to unfold; `update(request)` says of which score, and makes an open receipt anew.
export function receipt() {
  const summary = el("summary", {}, "Receipt: the sum, the model and the data");
  const box = el("details", { className: "receipt" }, summary);
  let request = null;
  const load = latest(async (signal) => {
    if (box.childElementCount < 2) box.append(el("p", { className: "soft", "aria-busy": "true" }, "Making it out…"));
    try {
      const answer = await post(`/v1/standings${request.beside ? "?beside=true" : ""}`, { ...request.body, n: request.n, width: width(box, WIDEST) }, signal);
      box.replaceChildren(summary, card(answer));
    } catch (error) {
      if (!signal.aborted) box.replaceChildren(summary, problem(error, load));
    }
  });
  box.addEventListener("toggle", () => box.open && box.childElementCount < 2 && load());
  const update = (to) => {
    request = to;
    if (box.open) return load();
    return box.replaceChildren(summary);
  };
  return { box, update };
}

function card({ receipt: svg, item_id, sentence }) {
  const image = el("img", { src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`, alt: `Receipt. ${sentence}` });
  const file = `receipt-${item_id.replace(/[^\p{L}\p{N}-]+/gu, "-").slice(0, 60)}`;
  return el("div", {}, image, el("div", { className: "row" },
    el("button", { type: "button", onclick: () => save(new Blob([svg], { type: "image/svg+xml" }), `${file}.svg`) }, "Save as SVG"),
    el("button", { type: "button", onclick: () => png(image).then((blob) => save(blob, `${file}.png`)) }, "Save as PNG"),
    el("button", { type: "button", onclick: () => printAlone(image) }, "Print")));
}

function png(image) {
  const canvas = el("canvas", { width: 2 * image.naturalWidth, height: 2 * image.naturalHeight });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
}

export function save(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  say(`Saved ${name}`);
}

function printAlone(image) {
  const sheet = el("div", { className: "sheet" }, image.cloneNode());
  document.body.append(sheet);
  document.body.classList.add("printing");
  print();
  document.body.classList.remove("printing");
  sheet.remove();
}

export function copyButton(words, text) {
  const button = el("button", { type: "button", onclick: async () => {
    const done = await copy(text());
    say(done ? "Copied" : "The browser does not let this page copy");
    button.textContent = done ? "Copied" : words;
    setTimeout(() => { button.textContent = words; }, 1500);
  } }, words);
  return button;
}

// Outside of secure contexts there is no clipboard but the selection's.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
