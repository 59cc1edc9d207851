import assert from "node:assert/strict";
import test from "node:test";
import { contains, filterOf, progress, term, toggled } from "../js/requests/filter.js";

const row = {
  id: "a1", number: 1, requestId: "req-7", at: "2026-01-01T00:00:00Z", api: "Api", method: "POST", path: "/orders?x=1",
  route: "POST /orders", function: "CreateOrderFunction", status: 422, code: "OUT_OF_STOCK", tookMs: 120.5,
  caller: "customer 019a", client: "my app", coldStart: true, replayed: false, refusedAt: "rules", attempts: 2,
};

test("all terms of a filter have to match", () => {
  for (const [text, expected] of [
    ["", true], ["orders", true], ["out_of", true], ["req-7", true], ["422", true], ["42", false], ["status:4xx", true],
    ["status:422", true], ["status:5xx", false], ["stage:rules", true], ["stage:effects", false], ["is:cold", true],
    ["is:replay", false], ["-is:replay", true], ["-orders", false], ["is:retried is:error", true], ["ms>100", true],
    ["ms>200", false], ["ms<200", true], ["client:\"my app\"", true], ["client:my", false], ["method:post", true],
    ["orders status:5xx", false], ["function:createorder", true], ["is:unknown", false], ["/orders?x=1", true], ["x:y", false],
  ]) assert.equal(filterOf(text)(row), expected, text);
});

test("a running request has no status and no time to match", () => {
  const running = { ...row, status: null, tookMs: null, refusedAt: null };
  assert.equal(filterOf("is:running")(running), true);
  for (const text of ["status:4xx", "ms>1", "ms<1", "stage:rules", "is:error"]) assert.equal(filterOf(text)(running), false, text);
});

test("a term is added and removed and keeps the others", () => {
  const mine = term("client", "my app");
  const with_ = toggled("orders", mine);
  assert.equal(with_, "orders client:\"my app\"");
  assert.ok(contains(with_, mine));
  assert.equal(toggled(with_, mine), "orders");
});

test("the small picture of a row shows the stage that refused", () => {
  assert.deepEqual(progress(row), { passed: 6, refused: true });
  assert.deepEqual(progress({ ...row, refusedAt: null, status: 200 }), { passed: 9, refused: false });
  assert.deepEqual(progress({ ...row, refusedAt: null, status: 500 }), { passed: null, refused: false });
});
