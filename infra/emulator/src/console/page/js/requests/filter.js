// The filter of the list: words and `name:value` terms, all of which have to match. Pure functions.
//
// `orders status:4xx stage:rules -is:replay ms>100 client:"my app"`

import { stageIndex } from "../format.js";

const TERM = /(-?)(?:([a-z]+)(:|>|<))?(?:"([^"]*)"?|(\S+))/gi;

const FLAGS = {
  cold: row => row.coldStart,
  replay: row => row.replayed,
  error: row => row.status >= 400,
  running: row => row.status === null,
  retried: row => row.attempts > 1,
};

const FIELDS = {
  status: (row, value) => matchesStatus(row.status, value),
  stage: (row, value) => row.refusedAt === value || (row.refusedAt ?? "").startsWith(value),
  method: (row, value) => row.method.toLowerCase() === value,
  route: (row, value) => has(row.route, value),
  path: (row, value) => has(row.path, value),
  function: (row, value) => has(row.function, value),
  code: (row, value) => has(row.code, value),
  caller: (row, value) => has(row.caller, value),
  client: (row, value) => row.client.toLowerCase() === value,
  is: (row, value) => FLAGS[value]?.(row) ?? false,
};

/** The names of the terms, for the help. */
export const TERMS = [...Object.keys(FIELDS).filter(name => name !== "is"), ...Object.keys(FLAGS).map(flag => `is:${flag}`)];

/**
 * The test of a filter's text.
 *
 * @param {string} text
 * @returns {(row: import("../types.js").RequestRow) => boolean}
 */
export function filterOf(text) {
  const tests = [...text.matchAll(TERM)].map(test).filter(Boolean);
  if (tests.length === 0) return () => true;
  return row => tests.every(matches => matches(row));
}

function test([whole, minus, rawName, sign, quoted, bare]) {
  const value = (quoted ?? bare ?? "").toLowerCase();
  const name = rawName?.toLowerCase();
  let matches;
  if (name === "ms" && sign !== ":") matches = slower(Number(value), sign);
  else if (sign === ":" && name in FIELDS) matches = row => FIELDS[name](row, value);
  else {
    const word = name === undefined ? value : whole.slice(minus.length).toLowerCase().replaceAll('"', "");
    matches = row => hasWord(row, word);
  }
  return minus === "-" && whole !== "-" ? row => !matches(row) : matches;
}

const slower = (limit, sign) => row => row.tookMs !== null && (sign === ">" ? row.tookMs > limit : row.tookMs < limit);

const has = (text, part) => text !== null && text !== undefined && text.toLowerCase().includes(part);

const hasWord = (row, word) =>
  has(row.path, word) || has(row.method, word) || has(row.route, word) || has(row.function, word)
  || has(row.code, word) || has(row.caller, word) || has(row.requestId, word) || has(row.id, word)
  || String(row.status ?? "") === word;

function matchesStatus(status, value) {
  if (status === null) return false;
  const family = /^([1-5])xx$/.exec(value);
  return family ? Math.floor(status / 100) === Number(family[1]) : String(status) === value;
}

/** The text with a term set, or removed if it was there. */
export function toggled(text, term) {
  const terms = text.match(/-?(?:[a-z]+[:><])?(?:"[^"]*"?|\S+)/gi) ?? [];
  const kept = terms.filter(other => other !== term);
  if (kept.length === terms.length) kept.push(term);
  return kept.join(" ");
}

export const contains = (text, term) => ` ${text} `.includes(` ${term} `);

/** A term for a value that may have spaces. */
export const term = (name, value) => `${name}:${/[\s"]/.test(value) ? `"${value.replaceAll('"', "")}"` : value}`;

/** The stages up to the one that refused, for the small picture in a row. */
export function progress(row) {
  if (row.refusedAt !== null) return { passed: stageIndex(row.refusedAt), refused: true };
  if (row.status === null) return { passed: 0, refused: false };
  return row.status >= 400 ? { passed: null, refused: false } : { passed: 9, refused: false };
}
