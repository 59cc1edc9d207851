// The requests that the page holds, oldest first, and those of them that match the filter.
//
// New rows cost only themselves: nothing is sorted or filtered again while they arrive.

/** @typedef {import("../types.js").RequestRow} RequestRow */

/** The number of rows that are kept. */
export const ROWS_MAX = 10_000;
/** Rows above the maximum that may gather before the oldest are removed, in one go. */
const SURPLUS = 500;

export class Rows {
  constructor() {
    /** @type {RequestRow[]} */
    this.all = [];
    /** @type {RequestRow[]} */
    this.shown = [];
    /** @type {Map<string, RequestRow>} */
    this.byId = new Map();
    this.matches = () => true;
  }

  /**
   * Adds new rows and replaces changed ones. Returns the rows that were new.
   *
   * @param {RequestRow[]} rows
   */
  merge(rows) {
    const added = [];
    for (const row of rows) {
      const before = this.byId.get(row.id);
      this.byId.set(row.id, row);
      put(this.all, row);
      if (before === undefined) added.push(row);
      if (this.matches(row)) put(this.shown, row);
      else if (before !== undefined) remove(this.shown, row.number);
    }
    if (this.all.length > ROWS_MAX + SURPLUS) this.#dropOldest();
    return added;
  }

  /** @param {(row: RequestRow) => boolean} matches */
  filter(matches) {
    this.matches = matches;
    this.shown = this.all.filter(matches);
  }

  clear() {
    this.all = [];
    this.shown = [];
    this.byId.clear();
  }

  #dropOldest() {
    for (const row of this.all.splice(0, this.all.length - ROWS_MAX)) this.byId.delete(row.id);
    const oldest = this.all[0].number;
    this.shown.splice(0, placeOf(this.shown, oldest));
  }
}

/** The place of the first row whose number is not smaller. */
export function placeOf(rows, number) {
  let low = 0;
  let high = rows.length;
  // New rows mostly belong at the end.
  if (high > 0 && rows[high - 1].number < number) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].number < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

function put(rows, row) {
  const place = placeOf(rows, row.number);
  if (rows[place]?.number === row.number) rows[place] = row;
  else if (place === rows.length) rows.push(row);
  else rows.splice(place, 0, row);
}

function remove(rows, number) {
  const place = placeOf(rows, number);
  if (rows[place]?.number === number) rows.splice(place, 1);
}
