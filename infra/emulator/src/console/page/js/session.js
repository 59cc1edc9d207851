// The page's own settings: its name as a client, the account and the colours.

import { createStore, storedText } from "./store.js";

/** The name that requests of this page carry in `x-console-client`. */
export const client = (() => {
  const known = localStorage.getItem("console-client");
  if (known !== null) return known;
  const name = `console-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36).slice(0, 4)}`;
  localStorage.setItem("console-client", name);
  return name;
})();

/** The account for requests of the documentation and for edited requests; empty for none. */
export const account = storedText("console-account", "");

/** `system`, `light` or `dark`. */
export const theme = storedText("console-theme", "system");

theme.subscribe(chosen => {
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
});

/** The message at the bottom of the page, which also is announced. */
export const notice = createStore(null);

let timer;

/** Shows a message for some seconds. `href` makes it a link. */
export function notify(text, { href = null, failed = false } = {}) {
  clearTimeout(timer);
  notice.set({ text, href, failed });
  timer = setTimeout(() => notice.set(null), failed ? 12_000 : 6_000);
}

/** Runs an action, and shows its error if it fails. Returns whether it succeeded. */
export async function attempt(action) {
  try {
    await action();
    return true;
  } catch (error) {
    notify(error.message, { failed: true });
    return false;
  }
}
