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

/** A hidden page gives its place at the platform to others after this time. */
const HIDDEN_MS = 30_000;
/** The pause before a new stream, if the platform refused one. */
const RETRY_MS = 3_000;

let stream = null;
let leave = null;

/** Follows the platform while the page is visible. */
export function connect() {
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leave);
    if (!document.hidden) open();
    else leave = setTimeout(close, HIDDEN_MS);
  });
  open();
}

function close() {
  stream?.close();
  stream = null;
}

/** Opens the stream, and then reads the requests that came before it. */
function open() {
  if (stream !== null) return;
  stream = new EventSource("activity/events");
  stream.addEventListener("open", () => {
    connection.set("open");
    if (earlier?.newest === undefined) earlier = { newest: rows.all.at(-1), ids: new Set(rows.byId.keys()) };
    syncClock();
    readEarlier();
  });
  stream.addEventListener("error", () => {
    connection.set("lost");
    // The browser connects again unless the platform refused, such as with too many listeners.
    if (stream?.readyState !== EventSource.CLOSED) return;
    close();
    setTimeout(() => document.hidden || open(), RETRY_MS);
  });
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

/** The requests of one response. */
const PAGE = 1_000;

let reading = false;
/** Whether there may be rows that the page has to read. */
let isStale = false;
/** The newest row and the ids of all rows that the page had before the stream, until they are compared. */
let earlier = null;

/** Reads the requests in memory, and again if rows are missed meanwhile. */
async function readEarlier() {
  isStale = true;
  if (reading) return;
  reading = true;
  while (isStale) {
    isStale = false;
    try {
      await readPages();
    } catch {
      // The state of the stream shows that the platform does not answer. The next stream reads again.
    }
  }
  reading = false;
}

/** Reads the requests in memory, newest first, until the page knows the older ones or is full. */
async function readPages() {
  let before = "";
  for (let read = 0; read < ROWS_MAX; read += PAGE) {
    const { requests } = await get(`activity/requests?limit=${PAGE}${before}`);
    if (read === 0) leaveOut(idsBeforeRestart(requests));
    const isKnown = requests.length > 0 && rows.byId.has(requests.at(-1).id);
    merge(requests);
    if (isKnown || requests.length < PAGE) break;
    before = `&before=${requests.at(-1).number}`;
  }
}

/**
 * The ids of the rows that the page had before the platform was started again: its newest request is
 * older than ours, or not there. None if it was not. Rows that the new stream has brought are of the same
 * platform as the response, and prove nothing.
 */
function idsBeforeRestart(requests) {
  if (earlier === null) return new Set();
  const { newest, ids } = earlier;
  earlier = null;
  const isRestarted = newest !== undefined && (requests.length === 0 || requests[0].number < newest.number) && !requests.some(({ id }) => ids.has(id));
  return isRestarted ? ids : new Set();
}

function leaveOut(ids) {
  if (ids.size === 0) return;
  const kept = rows.all.filter(({ id }) => !ids.has(id));
  rows.clear();
  rows.merge(kept);
}
