// Lists from the server, for somebody as they are or with other tastes and ratings.

import { get, path, post, segment } from "./api.js";
import { jsonAt, jsonOf } from "./json.js";

export const LENGTH = 10;
export const MOST = 100; // of one list

// What the address says of a list: filters, the dial, tastes turned, ratings left out, films hidden.
export function optionsIn(query) {
  return {
    by: query.get("by"), caution: query.get("caution"), genre: query.get("genre"), year_from: query.get("from"), year_to: query.get("to"),
    seen: query.get("seen") === "1", beside: query.get("beside") === "1", diversity: query.get("varied") === "1", min_ratings: Number(query.get("known")) || 0,
    turn: pairsIn(query.get("turn")), without: listIn(query.get("without")), hide: listIn(query.get("hide")), n: Number(query.get("n")) || LENGTH,
  };
}

function pairsIn(text) {
  return Object.fromEntries((text || "").split(",").filter(Boolean).map((one) => one.split(":")).map(([name, value]) => [name, Number(value)]));
}

function listIn(text) {
  return (text || "").split(",").filter(Boolean).map(decodeURIComponent);
}

export const listForAddress = (items) => items.map(encodeURIComponent).join(",") || null;
export const pairsForAddress = (pairs) => Object.entries(pairs).map(([name, value]) => `${name}:${value}`).join(",") || null;

export const isMixed = (options) => Object.keys(options.turn).length > 0 || options.without.length > 0 || options.caution !== null;

// The person of a request, as mixed.
export function personOf(who, options) {
  const mixed = { ...who };
  if (Object.keys(options.turn).length) mixed.turn = options.turn;
  if (options.without.length) mixed.without = options.without;
  return mixed;
}

const number = (text) => (text === null || text === "" ? null : Number(text));
const DIVERSITY = 0.5; // of a varied list

// The body of a request about one item of the list.
export function bodyOf(who, options, item, by, beside) {
  return { ...(beside ? who : personOf(who, options)), item, by, caution: beside ? null : number(options.caution) };
}

export async function recommend(who, options, { beside = false, why = true, n = options.n, signal } = {}) {
  const plain = beside || !(Object.keys(options.turn).length || options.without.length || options.hide.length);
  if (who.user !== undefined && plain) {
    const where = `/v1/users/${segment(who.user)}/recommendations`;
    const query = {
      n, why: why ? options.by || "true" : null, genre: options.genre, year_from: options.year_from, year_to: options.year_to,
      caution: beside ? null : options.caution, exclude_seen: options.seen ? "false" : null, diversity: options.diversity ? DIVERSITY : null, min_ratings: options.min_ratings || null, beside: beside ? "true" : null,
    };
    if (!beside && why) jsonAt(path(where, query));
    return get(where, query, signal);
  }
  const answer = await post("/v1/recommendations", {
    ...personOf(who, options), n, why: why ? options.by || "true" : null, caution: number(options.caution), exclude_seen: !options.seen,
    genre: options.genre ? [options.genre] : [], year_from: number(options.year_from), year_to: number(options.year_to), hide: options.hide,
    diversity: options.diversity ? DIVERSITY : 0, min_ratings: options.min_ratings,
  }, signal);
  if (why) jsonOf(answer);
  return answer;
}
