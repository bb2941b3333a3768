// A person's own export from Letterboxd or IMDb, and which of its films the model knows.

import { get } from "./api.js";

const MOST = 500; // films looked up, the latest in the file
const AT_ONCE = 6;

const SITES = {
  Letterboxd: { title: "Name", year: "Year", rating: "Rating", low: 0.5, high: 5 },
  IMDb: { title: "Title", year: "Year", rating: "Your Rating", low: 1, high: 10 },
  Matinee: { title: "title", year: "year", rating: "rating" },
};

// The rows of a CSV text: quotes, doubled quotes, and line breaks inside quotes.
export function rowsOf(text) {
  const rows = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  const whole = text.replace(/^\ufeff/, "");
  while (cell.lastIndex < whole.length) {
    const hit = cell.exec(whole);
    if (!hit) throw new Error("This file is not valid CSV: a quote is never closed.");
    rows[rows.length - 1].push(hit[1] === undefined ? hit[2] : hit[1].replaceAll('""', '"'));
    if (hit[3] !== ",") rows.push([]);
    if (hit[0] === "") break;
  }
  return rows.filter((row) => row.some((one) => one !== ""));
}

// Title, year and rating of each film, the rating on the scale of the model.
export function read(text, [low, high]) {
  const [head = [], ...rows] = rowsOf(text);
  const source = Object.keys(SITES).find((name) => [SITES[name].title, SITES[name].year, SITES[name].rating].every((one) => head.includes(one)));
  if (!source) throw new Error(`This is not a ratings.csv of Letterboxd, IMDb or Matinee: its columns are ${head.slice(0, 6).join(", ") || "empty"}.`);
  const site = SITES[source];
  const [bottom, top] = [site.low ?? low, site.high ?? high]; // our own files are on the model's scale
  const at = Object.fromEntries(["title", "year", "rating"].map((name) => [name, head.indexOf(site[name])]));
  const films = rows.map((row) => ({ title: row[at.title], year: Number(row[at.year]) || null, rating: Number(row[at.rating]) }))
    .filter((film) => film.title && film.rating >= bottom && film.rating <= top)
    .map((film) => ({ ...film, rating: low + ((film.rating - bottom) / (top - bottom)) * (high - low) }));
  if (!films.length) throw new Error("There are no ratings in this file.");
  return { source, films: films.slice(-MOST) };
}

const plain = (title) => title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/^(the|a|an) /, "").replace(/, (the|a|an)$/, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim();

async function itemOf(film) {
  const answer = await get("/v1/items", { q: film.title, n: 20 });
  const same = answer.items.filter((item) => plain(item.title) === plain(film.title));
  return same.find((item) => item.year === film.year) || same.find((item) => item.year && film.year && Math.abs(item.year - film.year) <= 1)
    || (film.year === null && same.length === 1 ? same[0] : null);
}

export async function match(films, progress) {
  const items = new Array(films.length);
  let next = 0;
  const worker = async () => {
    while (next < films.length) {
      const place = next++;
      items[place] = await itemOf(films[place]);
      if (place % 25 === 0) progress(place);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const ratings = new Map();
  const missing = [];
  films.forEach((film, place) => items[place] ? ratings.set(items[place].item_id, film.rating) : missing.push(film.title));
  return { ratings: [...ratings].map(([item_id, rating]) => ({ item_id, rating })), missing };
}
