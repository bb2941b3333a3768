// A field that suggests as one types: an ARIA combobox with a list of options.

import { el } from "./dom.js";

let count = 0;

// `find(text)` resolves to options {id, words, note}; `onpick(option)` is called with the choice.
export function suggest({ label, name, find, onpick, value = "", hint = "" }) {
  const id = `suggest-${++count}`;
  const list = el("ul", { id, role: "listbox", "aria-label": label, hidden: true });
  let options = [];
  let active = -1;
  let turn = 0;
  let picked = null;
  const field = el("input", {
    type: "search", name, value, placeholder: hint, autocomplete: "off", role: "combobox", dir: "auto",
    "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list", "aria-label": label,
  });
  const close = () => { list.hidden = true; active = -1; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); };
  const pick = (option) => { turn += 1; picked = option; field.value = option.words; close(); onpick?.(option); };
  const mark = (place) => {
    active = (place + options.length) % options.length;
    [...list.children].forEach((one, at) => one.setAttribute("aria-selected", String(at === active)));
    field.setAttribute("aria-activedescendant", `${id}-${active}`);
    list.children[active].scrollIntoView({ block: "nearest" });
  };
  const look = async () => {
    const mine = ++turn;
    picked = null;
    const text = field.value.trim();
    const found = text ? await find(text).catch(() => []) : [];
    if (mine !== turn || document.activeElement !== field) return; // overtaken by more letters, or by a choice
    options = found;
    list.replaceChildren(...options.map((option, place) => el("li", {
      id: `${id}-${place}`, role: "option", "aria-selected": "false",
      onpointerdown: (event) => { event.preventDefault(); pick(option); },
    }, el("bdi", {}, option.words), option.note && el("small", {}, ` ${option.note}`))));
    if (!options.length) return close();
    list.hidden = false;
    active = -1;
    field.setAttribute("aria-expanded", "true");
  };
  field.addEventListener("input", look);
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return close();
    if (list.hidden) return undefined;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(active < 0 && event.key === "ArrowUp" ? -1 : active + (event.key === "ArrowDown" ? 1 : -1));
    }
    if (event.key === "Enter" && active >= 0) { event.preventDefault(); pick(options[active]); }
    return undefined;
  });
  // What is meant: the choice, or the first option for the text.
  const chosen = async () => picked || (field.value.trim() ? (await find(field.value.trim()))[0] : undefined);
  const set = (option) => { picked = option; field.value = option?.words || ""; };
  return { node: el("span", { className: "suggest" }, field, list), field, chosen, set };
}
