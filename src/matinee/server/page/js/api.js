// Requests to the server. Its errors are thrown as a Problem with the message of the server.

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

let token = sessionStorage.getItem("token") || "";
const cache = new Map(); // responses to GET, valid while the page is open

export function keepToken(value) {
  token = value;
  sessionStorage.setItem("token", value);
  cache.clear();
  sent.clear();
}

export function hasToken() {
  return token !== "";
}

async function request(method, path, body, { signal, keepalive } = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const options = { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal, keepalive };
  const response = await fetch(path, options).catch(() => {
    signal?.throwIfAborted();
    throw new Problem(0, "The server does not answer. It may be down, or the network is.");
  });
  const content = await response.json().catch(() => ({}));
  signal?.throwIfAborted();
  if (!response.ok) throw new Problem(response.status, content.detail || `the server answered with status ${response.status}`);
  return content;
}

export function path(base, query = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "" && value !== false) params.append(name, value);
  }
  const words = params.toString();
  return words ? `${base}?${words}` : base;
}

const sent = new Map(); // requests of the first view, each for one use

export function early(where, query) {
  const answer = request("GET", path(where, query));
  answer.catch(() => null); // whoever uses it hears of it
  sent.set(path(where, query), answer);
}

// A `signal` aborts the request, which then fails with its reason.
export function get(where, query, signal) {
  const key = path(where, query);
  const answer = sent.get(key) || request("GET", key, undefined, { signal });
  sent.delete(key);
  return answer;
}

export const post = (where, body, signal) => request("POST", where, body, { signal });
export const report = (where, body) => request("POST", where, body, { keepalive: true }); // arrives though the page is left
export const patch = (where, body) => request("PATCH", where, body);

export function getOnce(where, query) {
  const key = path(where, query);
  if (!cache.has(key)) {
    cache.set(key, get(where, query).catch((error) => { cache.delete(key); throw error; }));
  }
  return cache.get(key);
}

export function forget() {
  cache.clear();
}

export const segment = encodeURIComponent;
