// The platform's clock, which may be ahead of the machine's.

import { get, inOrder } from "./api.js";
import { createStore } from "./store.js";

/** The milliseconds by which the platform's clock is ahead of this browser's. */
let aheadMs = 0;
/** The seconds by which it was moved. */
export const offset = createStore(0);

/** The time in milliseconds by the platform's clock. */
export const now = () => Date.now() + aheadMs;

const begin = inOrder();

/** Reads the platform's clock. */
export async function syncClock() {
  const isLatest = begin();
  try {
    const clock = await get("clock");
    if (isLatest()) take(clock);
  } catch {
    // The last known difference stays.
  }
}

/** Another program may move the clock, so it is read again from time to time. */
const SYNC_MS = 3_000;

/** Reads the platform's clock now, and regularly while the page is visible. */
export function followClock() {
  syncClock();
  setInterval(() => document.hidden || syncClock(), SYNC_MS);
}

/** Takes over the clock after a move of it. The responses to requests that began before are old. */
export function moved(clock) {
  begin()();
  take(clock);
}

function take(clock) {
  aheadMs = new Date(clock.now).getTime() - Date.now();
  offset.set(clock.offsetS);
}

/** Calls `tick` once a second while the page is visible. Returns the end of it. */
export function everySecond(tick) {
  const timer = setInterval(() => document.hidden || tick(), 1000);
  return () => clearInterval(timer);
}
