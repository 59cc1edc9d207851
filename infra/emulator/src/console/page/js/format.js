// Texts for numbers, times and names. Pure functions.

/** The stages in order, with the names that people read. */
export const STAGES = [
  ["routing", "Routing"],
  ["authentication", "Authentication"],
  ["authorization", "Authorization"],
  ["deserialization", "Deserialization"],
  ["validation", "Validation"],
  ["retrieval", "Retrieval"],
  ["rules", "Rules"],
  ["effects", "Effects"],
  ["response", "Response"],
];

/** The stage's place, from 0; -1 for none. */
export const stageIndex = stage => STAGES.findIndex(([name]) => name === stage);

/** A duration: `0.4 ms`, `12.5 ms`, `340 ms`, `1.24 s`, `3 min 5 s`. */
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 0.05) return "0 ms";
  if (ms < 99.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  return span(ms / 1000);
}

/** A number of seconds in its two largest units: `5 s`, `3 min 5 s`, `2 h 10 min`, `4 d 1 h`. */
export function span(seconds) {
  const units = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];
  let rest = Math.max(0, Math.round(seconds));
  const first = units.findIndex(([, size]) => rest >= size);
  if (first === -1) return "0 s";
  const parts = [];
  for (const [unit, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(" ");
}

/** A size: `512 B`, `1.4 KiB`, `2.0 MiB`. */
export function bytes(count) {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(1)} KiB`;
  return `${(count / 1024 / 1024).toFixed(1)} MiB`;
}

/** A whole number with separators: `10,000`. */
export const count = number => number.toLocaleString("en");

/** `1 item`, `2 items`. */
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

const two = number => String(number).padStart(2, "0");

/** The time of day with milliseconds: `19:03:42.125`. */
export function timeOfDay(at) {
  const date = new Date(at);
  const millis = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}

/** Date and time of day: `2026-11-26 19:03:42`. */
export function dateAndTime(at) {
  const date = new Date(at);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${timeOfDay(at).slice(0, 8)}`;
}

/** The distance of a time from now: `in 12 s`, `3 min 5 s ago`, `now`. */
export function fromNow(at, now) {
  const seconds = (new Date(at).getTime() - now) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  return seconds > 0 ? `in ${span(Math.ceil(seconds))}` : `${span(-seconds)} ago`;
}

/** `conditionFailed` as words: `condition failed`. */
export const words = name => name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);

/** The kind of a status, which selects colour and shape: `ok`, `client`, `server` or `running`. */
export function statusKind(status) {
  if (status === null || status === undefined) return "running";
  if (status >= 500) return "server";
  return status >= 400 ? "client" : "ok";
}
