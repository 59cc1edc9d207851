import assert from "node:assert/strict";
import test from "node:test";

/** The requests to the platform, which the tests answer. */
const asked = [];
let stream;

globalThis.document = { hidden: false, addEventListener() {} };
globalThis.fetch = path => new Promise(resolve => {
  asked.push({ path, answer: body => resolve(new Response(JSON.stringify(body))) });
});
globalThis.EventSource = class {
  listeners = {};

  constructor() {
    stream = this;
  }

  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }

  send(name, data) {
    this.listeners[name]({ data: JSON.stringify(data) });
  }
};

const { connect, rows } = await import("../js/live.js");

const lists = () => asked.filter(({ path }) => path.startsWith("activity/requests?"));

async function until(isDone) {
  for (let turn = 0; turn < 1_000 && !isDone(); turn += 1) await new Promise(setImmediate);
  assert.ok(isDone());
}

const row = (id, number) => ({ id, number, at: "2026-01-01T00:00:00Z", status: 200 });

test("rows that are missed while the page reads are read afterwards", async () => {
  connect();
  stream.send("open");
  assert.equal(lists().length, 1);

  stream.send("dropped", { dropped: 1 });
  assert.equal(lists().length, 1);
  lists()[0].answer({ requests: [] });

  await until(() => lists().length === 2);
  lists()[1].answer({ requests: [row("missed", 7)] });
  await until(() => rows.byId.has("missed"));
  assert.equal(lists().length, 2);
});

test("the rows of a platform before a restart go, also if the stream brings a new one first", async () => {
  stream.send("requests", [row("old", 50)]);
  stream.send("open");
  stream.send("requests", [row("new", 1), row("later", 2)]);

  lists()[2].answer({ requests: [row("new", 1)] });

  await until(() => !rows.byId.has("old"));
  assert.deepEqual(rows.all.map(({ id }) => id), ["new", "later"]);
});

test("the rows of the same platform stay after a new connection", async () => {
  stream.send("open");

  lists()[3].answer({ requests: [row("newer", 3), row("later", 2), row("new", 1)] });

  await until(() => rows.byId.has("newer"));
  assert.deepEqual(rows.all.map(({ id }) => id), ["new", "later", "newer"]);
});
