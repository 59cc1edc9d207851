// Requests per second of the last minute, by the time at which they arrived. Pure.

export const SECONDS = 60;

export class Rate {
  constructor() {
    /** @type {Map<number, {all: number, errors: number}>} */
    this.seconds = new Map();
  }

  /** Counts a request; `counted` is whether it was counted before and now has its status. */
  add(row, counted = false) {
    const second = Math.floor(new Date(row.at).getTime() / 1000);
    const here = this.seconds.get(second) ?? { all: 0, errors: 0 };
    if (!counted) here.all += 1;
    if (row.status >= 500) here.errors += 1;
    this.seconds.set(second, here);
  }

  /** The counts of the last minute before `now` (ms), oldest first. Older ones are forgotten. */
  last(now) {
    const end = Math.floor(now / 1000);
    for (const second of this.seconds.keys()) if (second <= end - SECONDS - 5) this.seconds.delete(second);
    return Array.from({ length: SECONDS }, (_, place) =>
      this.seconds.get(end - SECONDS + 1 + place) ?? { all: 0, errors: 0 });
  }
}
