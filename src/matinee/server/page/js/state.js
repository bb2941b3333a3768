// The state of the page is its address: a section and what it shows, as in #list?user=42&by=history.

export function read() {
  const [section, query = ""] = location.hash.slice(1).split(/\?(.*)/s);
  return { section: section || "find", query: new URLSearchParams(query) };
}

export function address(section, query = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "" && value !== false) params.set(name, value);
  }
  const words = params.toString();
  return `#${section}${words ? `?${words}` : ""}`;
}

export function go(section, query) {
  location.hash = address(section, query);
}

// Update the address without navigating: the view is already up to date.
export function note(changes) {
  const { section, query } = read();
  const all = { ...Object.fromEntries(query), ...changes };
  history.replaceState(null, "", address(section, all));
}

// The person in the address, as API bodies take them: a user by id, or a newcomer by ratings or
// points. Long histories do not fit into an address; they stay here while the page is open.
let imported = null;

export function keepImported(ratings) {
  imported = ratings;
}

export const nameOf = (who) => (who.user === undefined ? "you" : `person ${who.user}`);

export function someone(query) {
  if (query.get("user") !== null) return { user: query.get("user") };
  if (query.get("ratings")) {
    const ratings = query.get("ratings").split(",").map((one) => {
      const [item, rating] = one.split(":");
      return { item_id: decodeURIComponent(item), rating: Number(rating) };
    });
    return { ratings };
  }
  if (query.get("tastes")) {
    return { tastes: Object.fromEntries(query.get("tastes").split(",").map((one) => {
      const [number, points] = one.split(":");
      return [number, Number(points)];
    })) };
  }
  if (query.get("new") === "imported" && imported) return { ratings: imported };
  return null;
}

export function ratingsInAddress(ratings) {
  return ratings.map(({ item_id, rating }) => `${encodeURIComponent(item_id)}:${rating}`).join(",");
}

export function whoInAddress(query) {
  const who = {};
  for (const name of ["user", "ratings", "tastes", "new"]) if (query.get(name) !== null) who[name] = query.get(name);
  if (who.user !== undefined && query.get("me")) who.me = query.get("me");
  return who;
}
