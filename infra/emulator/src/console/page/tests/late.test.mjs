import assert from "node:assert/strict";
import test, { mock } from "node:test";

// A notice stays for seconds.
mock.timers.enable({ apis: ["setTimeout"] });

/** The requests to the platform, which the tests answer. */
const asked = [];

globalThis.document = { hidden: false, addEventListener() {}, documentElement: { dataset: {} } };
globalThis.localStorage = { getItem: () => null, setItem() {} };
globalThis.fetch = (path, { method }) => new Promise(resolve => {
  asked.push({ path, method, answer: body => resolve(new Response(JSON.stringify(body))) });
});

const { failNext, nextFault, readNextFault } = await import("../js/detail/next_fault.js");
const { moved, offset, syncClock } = await import("../js/clock.js");

const NONE = { route: null, at: null };
const fault = route => ({ route, at: { stage: "retrieval" } });

test("a late response to a look shows no fault that a later look or a change replaced", async () => {
  const looks = [readNextFault(), readNextFault()];
  const [first, second] = asked.splice(0);
  second.answer(fault("GET /b"));
  await looks[1];
  first.answer(fault("GET /a"));
  await looks[0];
  assert.deepEqual(nextFault.get(), fault("GET /b"));

  const look = readNextFault();
  const change = failNext("GET /c", fault().at);
  const [read, put] = asked.splice(0);
  assert.equal(put.method, "PUT");
  put.answer(fault("GET /c"));
  await change;
  read.answer(NONE);
  await look;
  assert.deepEqual(nextFault.get(), fault("GET /c"));

  const next = readNextFault();
  asked.pop().answer(NONE);
  await next;
  assert.equal(nextFault.get(), null);
});

test("a late response with the old clock does not undo a move", async () => {
  const look = syncClock();
  moved({ now: "2026-01-02T00:00:00Z", offsetS: 3_600 });
  asked.pop().answer({ now: "2026-01-01T00:00:00Z", offsetS: 0 });
  await look;
  assert.equal(offset.get(), 3_600);
});
