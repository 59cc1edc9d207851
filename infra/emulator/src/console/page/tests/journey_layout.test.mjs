import assert from "node:assert/strict";
import test from "node:test";
import { asTree, Layout, shares } from "../js/journey/layout.js";

const node = (id, kind = "message", second = 0) => ({ id, kind, at: `2026-01-01T00:00:${String(second).padStart(2, "0")}Z` });
const journey = (nodes, edges) => ({ nodes, edges: edges.map(([from, to]) => ({ from, to, label: "sent" })) });

test("nodes are below their causes and each branch has its lane", () => {
  const layout = new Layout();
  layout.update(journey([node("a"), node("b"), node("c"), node("d")], [["a", "b"], ["a", "c"], ["c", "d"]]));
  assert.deepEqual(layout.places.get("b"), { lane: 0, row: 1 });
  assert.deepEqual(layout.places.get("c"), { lane: 1, row: 1 });
  assert.deepEqual(layout.places.get("d"), { lane: 1, row: 2 });
});

test("a place never changes while the journey grows, and a late node is below its cause", () => {
  const layout = new Layout();
  const nodes = [node("a"), node("b", "message", 1), node("c", "message", 2), node("d", "message", 3), node("e", "message", 4)];
  const edges = [["a", "b"], ["a", "c"], ["b", "d"], ["b", "e"]];
  layout.update(journey(nodes, edges));
  const before = new Map(layout.places);
  nodes.push(node("late", "message", 9), node("f", "mail", 10));
  edges.push(["c", "late"], ["late", "f"]);
  layout.update(journey(nodes, edges));
  for (const [id, place] of before) assert.deepEqual(layout.places.get(id), place, id);
  assert.equal(layout.places.get("late").lane, layout.places.get("c").lane);
  const taken = [...layout.places.values()].map(({ lane, row }) => `${lane} ${row}`);
  assert.equal(new Set(taken).size, taken.length);
});

test("the authorizer is at the side, and its lane is free below", () => {
  const layout = new Layout();
  layout.update(journey([node("r", "request"), node("a", "authorizer", 1), node("i", "invocation", 2), node("x", "row", 3), node("y", "message", 4)],
    [["r", "a"], ["r", "i"], ["i", "x"], ["i", "y"]]));
  assert.deepEqual(layout.places.get("i"), { lane: 0, row: 1 });
  assert.deepEqual(layout.places.get("a"), { lane: 1, row: 1 });
  assert.deepEqual(layout.places.get("y"), { lane: 1, row: 2 });
});

test("an effect that is recorded before its cause is still below it", () => {
  const layout = new Layout();
  layout.update(journey([node("effect", "message", 1), node("cause", "message", 5)], [["cause", "effect"]]));
  assert.equal(layout.places.get("effect").row, 1);
});

test("a circle of causes ends", () => {
  const circle = journey([node("a"), node("b")], [["a", "b"], ["b", "a"]]);
  new Layout().update(circle);
  assert.ok(asTree(circle).length <= 2);
});

test("the tree has each node once, below its first cause", () => {
  const tree = asTree(journey([node("a"), node("b", "message", 1), node("c", "message", 2)], [["a", "c"], ["b", "c"]]));
  assert.deepEqual(tree.map(({ node: { id }, depth }) => [id, depth]), [["a", 0], ["c", 1], ["b", 0]]);
});

test("the bar of a node divides into waiting and work", () => {
  assert.deepEqual(shares({ waitedMs: 100, workedMs: 100 }), { waited: 0.5, worked: 0.5 });
  assert.deepEqual(shares({ waitedMs: null, workedMs: null }), { waited: 0, worked: 0 });
});
