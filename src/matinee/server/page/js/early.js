// The requests of the first view, sent together while the rest of the page is on its way.

import { early, keepToken, segment } from "./api.js";
import { LENGTH } from "./lists.js";
import { read } from "./state.js";

export const SAMPLES = 8; // people offered to look at

export function takeToken() {
  const match = location.hash.match(/^#token=(.*)$/);
  if (!match) return;
  keepToken(decodeURIComponent(match[1]));
  history.replaceState(null, "", "#find");
}

function startEarly() {
  const { section, query } = read();
  early("/v1/model");
  if (section === "find") early("/v1/users", { n: SAMPLES });
  const user = query.get("user");
  const plain = [...query.keys()].every((name) => ["user", "me", "item"].includes(name));
  if (section !== "list" || user === null || !plain) return;
  const base = `/v1/users/${segment(user)}`;
  early(base);
  early(`${base}/recommendations`, { n: LENGTH, why: "true" });
}

takeToken();
startEarly();
