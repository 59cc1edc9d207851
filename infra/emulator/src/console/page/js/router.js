// Addresses by hash: `#/requests/ID/journey`, `#/tables/OrdersTable?pk=ORDER`.

import { createStore } from "./store.js";

/**
 * @param {string} hash
 * @returns {{view: string, parts: string[], query: URLSearchParams}}
 */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view = "", ...parts] = path.split("/").filter(part => part !== "").map(decode);
  return { view: view || "requests", parts, query: new URLSearchParams(query) };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The hash of a view: `link("requests", id, "journey")`. */
export const link = (...parts) => `#/${parts.map(encodeURIComponent).join("/")}`;

export const route = createStore(parse(location.hash));

addEventListener("hashchange", () => route.set(parse(location.hash)));

/** Goes to a hash. `replace` keeps the browser's history short, for movement in a list. */
export function go(hash, { replace = false } = {}) {
  if (location.hash === hash) return;
  if (replace) {
    history.replaceState(null, "", hash);
    route.set(parse(hash));
  } else {
    location.hash = hash;
  }
}
