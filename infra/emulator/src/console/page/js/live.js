// The stream of events, and the requests that it keeps up to date.

import { get } from "./api.js";
import { now, syncClock } from "./clock.js";
import { Rate } from "./requests/rate.js";
import { ROWS_MAX, Rows } from "./requests/rows.js";
import { createStore } from "./store.js";

/** The rows and the rate change in place; `changes` counts the changes, for subscribers. */
export const rows = new Rows();
export const rate = new Rate();
export const changes = createStore(0);
/** `connecting`, `open` or `lost`. */
export const connection = createStore("connecting");
/** The latest event `counts`. */
export const counts = createStore(null);
/** The number of rows that the stream left out because the page was too slow. */
export const missed = createStore(0);

const journeyListeners = new Set();
const rowListeners = new Map();

/** Calls `listener` when the journey of the request changes. Returns the end of it. */
export function onJourney(id, listener) {
  const entry = { id, listener };
  journeyListeners.add(entry);
  return () => journeyListeners.delete(entry);
}

/** Calls `listener` when the row of the request changes. Returns the end of it. */
export function onRow(id, listener) {
  const listeners = rowListeners.get(id) ?? new Set();
  rowListeners.set(id, listeners.add(listener));
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) rowListeners.delete(id);
  };
}

/** Opens the stream, and then reads the requests that came before it. */
export function connect() {
  const stream = new EventSource("activity/events");
  stream.addEventListener("open", () => {
    connection.set("open");
    syncClock();
    readEarlier();
  });
  stream.addEventListener("error", () => connection.set("lost"));
  stream.addEventListener("requests", event => merge(JSON.parse(event.data)));
  stream.addEventListener("journey", event => {
    const ids = new Set(JSON.parse(event.data).ids);
    for (const { id, listener } of journeyListeners) if (ids.has(id)) listener();
  });
  stream.addEventListener("counts", event => counts.set(JSON.parse(event.data)));
  stream.addEventListener("dropped", event => {
    missed.set(missed.get() + JSON.parse(event.data).dropped);
    readEarlier();
  });
}

function merge(changed) {
  for (const row of changed) {
    const before = rows.byId.get(row.id);
    const isRecent = new Date(row.at).getTime() > now() - 65_000;
    if (isRecent && (before === undefined || before.status === null)) rate.add(row, before !== undefined);
  }
  rows.merge(changed);
  changes.set(changes.get() + 1);
  if (rowListeners.size === 0) return;
  for (const row of changed) for (const listener of rowListeners.get(row.id) ?? []) listener();
}

let reading = false;

/** Reads the requests in memory, newest first, until those of the page follow or its memory is full. */
async function readEarlier() {
  if (reading) return;
  reading = true;
  try {
    let before = "";
    for (let read = 0; read < ROWS_MAX; read += 1000) {
      const page = await get(`activity/requests?limit=1000${before}`);
      // Rows of the stream are newer than those of the page.
      merge(page.requests.filter(row => read === 0 || !rows.byId.has(row.id)));
      if (page.requests.length < 1000) break;
      before = `&before=${page.requests.at(-1).number}`;
    }
  } catch {
    // The stream's state shows that the platform does not answer; it connects again on its own.
  } finally {
    reading = false;
  }
}
