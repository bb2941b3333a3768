// Asking the server. What it says is wrong is thrown as a Problem, in its own words.

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

let token = sessionStorage.getItem("token") || "";
const kept = new Map(); // answers to GET that hold as long as the page is open

export function keepToken(given) {
  token = given;
  sessionStorage.setItem("token", given);
  kept.clear();
}

export function hasToken() {
  return token !== "";
}

async function ask(method, path, body) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, found.detail || `the server answered ${answer.status}`);
  return found;
}

export function path(base, query = {}) {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "" && value !== false) asked.append(name, value);
  }
  const words = asked.toString();
  return words ? `${base}?${words}` : base;
}

export const get = (where, query) => ask("GET", path(where, query));
export const post = (where, body) => ask("POST", where, body);
export const patch = (where, body) => ask("PATCH", where, body);

export function getOnce(where, query) {
  const key = path(where, query);
  if (!kept.has(key)) {
    kept.set(key, ask("GET", key).catch((error) => { kept.delete(key); throw error; }));
  }
  return kept.get(key);
}

export function forget() {
  kept.clear();
}

export const segment = encodeURIComponent;
