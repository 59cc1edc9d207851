// The platform's clock, which may be ahead of the machine's.

import { get } from "./api.js";
import { createStore } from "./store.js";

/** The milliseconds by which the platform's clock is ahead of this browser's. */
let aheadMs = 0;
/** The seconds by which it was moved. */
export const offset = createStore(0);

/** The time in milliseconds by the platform's clock. */
export const now = () => Date.now() + aheadMs;

/** Reads the platform's clock. */
export async function syncClock() {
  try {
    show(await get("clock"));
  } catch {
    // The last known difference stays.
  }
}

/** Takes over the clock as a response shows it. */
export function show(clock) {
  aheadMs = new Date(clock.now).getTime() - Date.now();
  offset.set(clock.offsetS);
}

/** Calls `tick` once a second while the page is visible. Returns the end of it. */
export function everySecond(tick) {
  const timer = setInterval(() => document.hidden || tick(), 1000);
  return () => clearInterval(timer);
}
