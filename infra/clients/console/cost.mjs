// The cost of an open console: the same requests with and without a listener, in turns, as a ratio.
// `cargo xtask console --cost` runs this. The listener is a thread of its own, as a page is a
// process of its own.

import assert from "node:assert/strict";
import http from "node:http";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { API, CONTROL, pass, pause } from "./platform.mjs";

/** The most that an open console may add to a request. */
const MOST = 1.05;
const ROUNDS = 24;
const REQUESTS = 100;
/** Rounds after which the clock moves to the next minute, so that the rate limit is not met. */
const ROUNDS_OF_MINUTE = 2;
const PATH = "/products?limit=1";

if (isMainThread) await compare();
else follow();

/** The thread of the listener: follows the events, as a page does, between `open` and `close`. */
function follow() {
  let request = null;
  let bytes = 0;
  parentPort.on("message", order => {
    if (order === "close") {
      request.destroy();
      parentPort.postMessage(bytes);
      return;
    }
    bytes = 0;
    request = http.get(`${CONTROL}/activity/events`, { headers: { accept: "text/event-stream" } }, response => {
      response.on("data", chunk => { bytes += chunk.length; });
      response.on("error", () => {});
      parentPort.postMessage("open");
    });
    request.on("error", () => {});
  });
}

async function compare() {
  const listener = new Worker(new URL(import.meta.url));
  const tell = order => new Promise(done => {
    listener.once("message", done);
    listener.postMessage(order);
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  /** The milliseconds of one request. */
  const timed = () => new Promise((done, failed) => {
    const begun = performance.now();
    http.get(`${API}${PATH}`, { agent }, response => {
      assert.equal(response.statusCode, 200);
      response.resume();
      response.on("end", () => done(performance.now() - begun));
    }).on("error", failed);
  });

  const block = async isOpen => {
    if (isOpen) await tell("open");
    // The same pause without a listener. With one, it has the work of opening, which is done once.
    await pause(300);
    const times = [];
    for (let turn = 0; turn < REQUESTS; turn += 1) times.push(await timed());
    if (isOpen) bytes += await tell("close");
    return median(times);
  };

  let bytes = 0;
  const medians = { open: [], closed: [] };
  const ratios = [];
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    if (turn % ROUNDS_OF_MINUTE === 0) {
      await pass(61);
      // The schedules of that minute.
      await pause(1_500);
      for (let warm = 0; warm < 10; warm += 1) await timed();
    }
    // The order changes, so that neither is always the second.
    const isOpenFirst = turn % 2 === 0;
    const first = await block(isOpenFirst);
    const second = await block(!isOpenFirst);
    const [open, closed] = isOpenFirst ? [first, second] : [second, first];
    medians.open.push(open);
    medians.closed.push(closed);
    ratios.push(open / closed);
  }
  agent.destroy();
  await listener.terminate();

  const percent = ratio => `${((ratio - 1) * 100).toFixed(1)} %`;
  const [low, high] = interval(ratios);
  console.log(`a request takes ${median(medians.closed).toFixed(2)} ms, with an open console ${median(medians.open).toFixed(2)} ms: `
    + `${percent(median(ratios))} more, between ${percent(low)} and ${percent(high)} `
    + `(${ROUNDS} pairs of ${REQUESTS} requests each; ${bytes} bytes of events)`);
  assert.ok(bytes > 0, "the listener got events");
  // A busy machine widens the interval and fails nothing; a cost that is certain does.
  assert.ok(low < MOST, `an open console costs at least ${percent(low)}`);
}

/** The interval that has the true median with 95 %, by the order of the values (binomial). */
function interval(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const reach = 1.96 * Math.sqrt(values.length) / 2;
  const at = place => sorted[Math.max(0, Math.min(sorted.length - 1, Math.round(place)))];
  return [at(values.length / 2 - reach - 0.5), at(values.length / 2 + reach - 0.5)];
}

function median(values) {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
}
