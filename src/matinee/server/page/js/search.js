// Films and people by a few letters, as options of a field that suggests.

import { counted, label } from "./dom.js";
import { get } from "./api.js";

export async function findFilms(text) {
  const { items } = await get("/v1/items", { q: text.replace(/ \((\d{4})\)$/, " $1"), n: 8 });
  return items.map((item) => ({ id: item.item_id, words: label(item), note: counted(item.n_ratings, "rating"), item }));
}

export async function findPeople(text) {
  const { users } = await get("/v1/users", { q: text, n: 8 });
  const people = users.map((one) => ({ id: one.user, words: one.user, note: counted(one.n_ratings, "rating") }));
  const exact = people.find((one) => one.id === text);
  return exact ? [exact, ...people.filter((one) => one !== exact)] : people;
}
