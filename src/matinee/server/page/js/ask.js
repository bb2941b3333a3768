// Ask: why, or why not, any film for any person.

import { el, label, say } from "./dom.js";
import { getOnce, segment } from "./api.js";
import { findFilms, findPeople } from "./search.js";
import { suggest } from "./suggest.js";
import { go, whoInAddress } from "./state.js";

const YOU = "you";

// The form; `asked(query, who)` shows what the address asks.
export function ask() {
  const film = suggest({ label: "Film", name: "ask-film", find: findFilms, hint: "a film" });
  const person = suggest({ label: "Person", name: "ask-person", find: findPeople, hint: "a person's id" });
  let last = {};
  const submit = async (event) => {
    event.preventDefault();
    const words = person.field.value.trim();
    const [item, someone] = await Promise.all([film.chosen(), words === YOU ? null : person.chosen()]).catch(() => []);
    if (!item) return say("No such film here. Write a part of its title.");
    if (!words && !Object.keys(last).length) return say("For whom? Write the id of a person.");
    const isLast = !words || words === YOU || words === last.user;
    const who = isLast ? last : { user: someone && someone.id !== words ? words : someone?.id ?? words };
    return go("list", { ...who, item: item.id });
  };
  const asked = async (query, who) => {
    last = Object.keys(whoInAddress(query)).length ? whoInAddress(query) : who;
    person.set(Object.keys(last).length ? { id: last.user, words: last.user ?? YOU } : undefined);
    const item = query.get("item");
    if (!item) return;
    const known = await getOnce(`/v1/items/${segment(item)}`).catch(() => null);
    if (known) film.set({ id: item, words: label(known) });
  };
  const form = el("form", { id: "ask", role: "search", "aria-label": "Ask about any film and person", onsubmit: submit },
    el("span", {}, "Why, or why not"), film.node, el("span", {}, "for"), person.node, el("button", { className: "main" }, "Ask"));
  return { form, asked };
}
