import assert from "node:assert/strict";
import test from "node:test";
import { active, cleaned } from "../js/faults.js";
import { bytes, duration, fromNow, span, statusKind, words } from "../js/format.js";
import { parts } from "../js/highlight.js";
import { curve, layout, narrowed } from "../js/map/layout.js";
import { lineOf, linesOfPointers } from "../js/pointer.js";
import { Rate } from "../js/requests/rate.js";

test("durations, spans and sizes have units that fit", () => {
  assert.deepEqual([null, 0, 0.4, 12.34, 99.96, 999, 1240, 185_000].map(duration), ["–", "0 ms", "0.4 ms", "12.3 ms", "100 ms", "999 ms", "1.24 s", "3 min 5 s"]);
  assert.deepEqual([0, 5, 65, 7800, 90_000].map(span), ["0 s", "5 s", "1 min 5 s", "2 h 10 min", "1 d 1 h"]);
  assert.deepEqual([512, 1434, 2_097_152].map(bytes), ["512 B", "1.4 KiB", "2.0 MiB"]);
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(fromNow("2026-01-01T00:00:11.2Z", now), "in 12 s");
  assert.equal(fromNow("2025-12-31T23:58:00Z", now), "2 min ago");
  assert.deepEqual([null, 201, 404, 503].map(statusKind), ["running", "ok", "client", "server"]);
  assert.equal(words("conditionFailed"), "condition failed");
});

test("a pointer leads to the line of its value, or of the nearest one around it", () => {
  const lines = linesOfPointers(JSON.stringify({ a: "x\n", "b/c": [{ q: 0 }, 2], d: { e: null } }, null, 2));
  for (const [pointer, line] of [["", 0], ["/a", 1], ["/b~1c", 2], ["/b~1c/0/q", 4], ["/b~1c/1", 6], ["/d/e", 9], ["/d/missing", 8], ["/none", 0]]) {
    assert.equal(lineOf(lines, pointer), line, pointer);
  }
});

test("a text that is no JSON has the lines up to its error, and none is no error", () => {
  const lines = linesOfPointers('{\n  "a": 1,\n  "b": }');
  assert.equal(lines.get("/a"), 1);
  assert.equal(lineOf(lines, "/b"), 2);
  assert.equal(lineOf(linesOfPointers("["), "/0"), 0);
  assert.doesNotThrow(() => linesOfPointers(`${"[".repeat(5000)}${"]".repeat(5000)}`));
});

test("the parts of a line together are the line", () => {
  for (const line of ['  "a\\"b": "c", 1.5e3, true', "    quantity: Quantity(", "ProductId(0199f2aa-14c1-7e20)", '"secret": "•••"', ""]) {
    assert.equal(parts(line).map(([, text]) => text).join(""), line);
  }
  assert.deepEqual(parts("0199f2aa-14c1-7e20").filter(([kind]) => kind === "number"), []);
  assert.deepEqual(parts('"a": -1'), [["key", '"a"'], [null, ":"], [null, " "], ["number", "-1"]]);
});

test("active faults are described, and entries without effect are left out", () => {
  const faults = { tables: { Orders: { throttle: 0.1, delayMs: 50 }, Users: { throttle: 0 } }, torn: ["Stock"], coldStarts: true, standins: { partner: { down: false } } };
  assert.deepEqual(active(faults), ["Orders: throttled 10 %, delay 50 ms", "Stock: writes dropped from transactions", "every invocation is a cold start"]);
  assert.deepEqual(Object.keys(cleaned(faults).tables), ["Orders"]);
});

test("functions that a queue starts are in the column of consumers, and no places overlap", () => {
  const map = {
    nodes: [["Api", "api"], ["F", "function"], ["G", "function"], ["Q", "queue"], ["T", "table"]].map(([id, kind]) => ({ id, kind, title: id, counts: {} })),
    edges: [["Api", "F"], ["F", "Q"], ["Q", "G"], ["G", "T"]].map(([from, to]) => ({ from, to, label: "" })),
  };
  const { boxes } = layout(map);
  assert.ok(boxes.get("F").x < boxes.get("Q").x && boxes.get("Q").x < boxes.get("G").x);
  assert.equal(new Set([...boxes.values()].map(({ x, y }) => `${x} ${y}`)).size, 5);
  assert.match(curve(boxes.get("G"), boxes.get("T")), /^M[\d.]+ [\d.]+C/);
  assert.deepEqual(narrowed(map, "q").nodes.map(({ id }) => id), ["F", "G", "Q"]);
});

test("the rate counts each request once, by its second, and forgets old seconds", () => {
  const rate = new Rate();
  rate.add({ at: "2026-01-01T00:00:05.1Z", status: null });
  rate.add({ at: "2026-01-01T00:00:05.1Z", status: 500 }, true);
  const at = second => rate.last(Date.parse("2026-01-01T00:00:00Z") + second * 1000).at(-1);
  assert.deepEqual(at(5), { all: 1, errors: 1 });
  assert.deepEqual(at(6), { all: 0, errors: 0 });
  at(300);
  assert.equal(rate.seconds.size, 0);
});
