import assert from "node:assert/strict";
import test from "node:test";
import { inOrder } from "../js/api.js";

test("a response counts unless one to a later request came before it", () => {
  const begin = inOrder();
  const [first, second, third] = [begin(), begin(), begin()];
  assert.deepEqual([second(), first(), third()], [true, false, true]);
});

test("a response counts although a later request has begun", () => {
  const begin = inOrder();
  const first = begin();
  begin();
  assert.equal(first(), true);
});
