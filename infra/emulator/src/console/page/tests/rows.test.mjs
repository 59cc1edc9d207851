import assert from "node:assert/strict";
import test from "node:test";
import { filterOf } from "../js/requests/filter.js";
import { placeOf, Rows, ROWS_MAX } from "../js/requests/rows.js";

const row = (number, status = 200) => ({ id: `r${number}`, number, status, path: "/", method: "GET", client: "c" });
const numbers = rows => rows.map(({ number }) => number);

test("rows stay in the order of their numbers, however they arrive", () => {
  const rows = new Rows();
  rows.merge([row(5), row(6)]);
  rows.merge([row(1), row(3)]);
  rows.merge([row(2), row(7)]);
  assert.deepEqual(numbers(rows.all), [1, 2, 3, 5, 6, 7]);
  assert.deepEqual(numbers(rows.shown), [1, 2, 3, 5, 6, 7]);
});

test("a changed row replaces the old one and enters or leaves the filter", () => {
  const rows = new Rows();
  rows.merge([row(1, null), row(2, 500)]);
  rows.filter(filterOf("status:5xx"));
  assert.deepEqual(numbers(rows.shown), [2]);
  const added = rows.merge([row(1, 503), row(2, 200)]);
  assert.deepEqual([added, numbers(rows.shown), numbers(rows.all)], [[], [1], [1, 2]]);
});

test("the oldest rows are dropped, also from the filtered ones", () => {
  const rows = new Rows();
  rows.merge(Array.from({ length: ROWS_MAX + 501 }, (_, number) => row(number)));
  assert.equal(rows.all.length, ROWS_MAX);
  assert.equal(rows.byId.size, ROWS_MAX);
  assert.equal(rows.shown[0].number, 501);
});

test("the place of a number is the first that is not smaller", () => {
  const rows = [2, 4, 6].map(number => row(number));
  assert.deepEqual([1, 2, 3, 6, 7].map(number => placeOf(rows, number)), [0, 0, 1, 2, 3]);
  assert.equal(placeOf([], 1), 0);
});
