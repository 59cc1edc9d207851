// Keyboard shortcuts. Components register theirs with a level; the highest level wins.

import { useEffect, useRef } from "../vendor/htm-preact.js";

/** @typedef {Object<string, (event: KeyboardEvent) => (boolean|void)>} Keys */

/** @type {{level: number, keys: {current: Keys}}[]} */
const registered = [];

/** Keys of the whole page, for the help. */
export const HELP = [
  ["j k", "move down and up in the list"],
  ["Enter", "open the request; again: its journey"],
  ["Escape", "close, one step back"],
  ["/", "filter"],
  ["p", "pause and go on"],
  ["m", "only requests of this console"],
  ["r", "send the open request once more"],
  ["e", "edit the open request and send it"],
  ["1 … 9", "explain a stage of the open request"],
  ["g then r m c", "go to requests, map, charts"],
  ["g then t q e s", "go to tables, queues, e-mails, schedules"],
  ["g then a i f k d", "go to caches, stand-ins, faults, clock, documentation"],
  ["?", "this list"],
];

/**
 * Registers a component's keys: names of keys with their actions.
 *
 * @param {number} level 0 for the page, 1 for a view, 2 for a part of it
 * @param {Keys} keys
 */
export function useKeys(level, keys) {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const entry = { level, keys: latest };
    registered.push(entry);
    registered.sort((one, other) => other.level - one.level);
    return () => registered.splice(registered.indexOf(entry), 1);
  }, []);
}

/** Elements that these keys activate while they have the focus. */
const ACTIVATED = { Enter: "a, button, summary, input", " ": "button, summary, input" };

/** When `g` was pressed, if the next key is its second one. */
let afterG = -Infinity;

addEventListener("keydown", event => {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
  const isEscape = event.key === "Escape";
  if (!isEscape && isTyping(event.target)) return;
  if (document.querySelector("dialog[open]") !== null) return;
  // The element with the focus gets these keys before any shortcut.
  if (Object.hasOwn(ACTIVATED, event.key) && event.target.closest?.(ACTIVATED[event.key])) return;
  const isSecond = event.timeStamp - afterG < 1500;
  afterG = -Infinity;
  if (event.key === "g" && !isSecond) {
    afterG = event.timeStamp;
    return;
  }
  const name = isSecond ? `g ${event.key}` : event.key;
  for (const { keys } of registered) {
    const action = keys.current[name];
    if (action === undefined) continue;
    // An action that returns false leaves the key to others and to the browser.
    if (action(event) === false) continue;
    event.preventDefault();
    return;
  }
});

function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable
    || target.matches("input:not([type=checkbox], [type=radio], [type=range]), textarea, select"));
}
