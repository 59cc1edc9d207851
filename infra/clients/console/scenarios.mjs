// Requests that show something: one refused at each stage, and orders at moments of their journey.

import assert from "node:assert/strict";
import {
  clearFaults, eventually, failNext, fresh, journeyOf, order, orderOfNothing, pass, placeOrder, send, setFaults,
} from "./platform.mjs";

/**
 * A request refused at each of the nine stages, in their order.
 *
 * `sentence` is a part of the sentence below the boxes, `code` the error code in front of it, and
 * `fields` are the marked fields with their messages. `send` takes the tokens of a customer.
 */
export const REFUSALS = [
  {
    stage: "Routing", title: "an unknown path", status: 404, sentence: /No route fits the method and the path/,
    send: () => send("GET", "/nowhere"),
  },
  {
    stage: "Authentication", title: "a token that is none", status: 401, code: "UNAUTHORIZED", sentence: /A valid access token is required/,
    send: () => send("GET", "/orders", { token: "nonsense" }),
  },
  {
    stage: "Authorization", title: "a customer who reads the rules", status: 403, code: "FORBIDDEN", sentence: /The caller is not allowed to do this/,
    send: token => send("GET", "/rules", { token }),
  },
  {
    stage: "Deserialization", title: "fields of the wrong form", status: 400, code: "INVALID_REQUEST", sentence: /The request is invalid/,
    fields: { "/items/0/quantity": "must be from 1 to 99", "/paymentMethod": "must be" },
    send: token => placeOrder(token, { ...order(100), paymentMethod: "SHELLS" }),
  },
  {
    stage: "Validation", title: "a product that is ordered twice", status: 400, code: "INVALID_REQUEST", sentence: /The request is invalid/,
    fields: { "/items/1/productId": "must not be repeated" },
    send: token => placeOrder(token, { ...order(), items: [...order(1).items, ...order(2).items] }),
  },
  {
    stage: "Retrieval", title: "a product that does not exist", status: 404, code: "NOT_FOUND", sentence: /There is no such resource/,
    send: () => send("GET", `/products/${orderOfNothing().items[0].productId}`),
  },
  {
    stage: "Rules", title: "an order of more than is in stock", status: 422, code: "OUT_OF_STOCK", sentence: /There are not enough pieces of a product/,
    fields: { "/items/0/quantity": "is more than there is in stock" },
    send: token => placeOrder(token, order(99, "00000000-0000-7000-8000-000000000102")),
  },
  {
    stage: "Effects", title: "a transaction that fails", status: 503, code: "SERVICE_UNAVAILABLE", sentence: /A dependency is unavailable/, word: "failed",
    send: async token => {
      await failNext("POST /orders", { stage: "effects" });
      return placeOrder(token);
    },
  },
  {
    stage: "Response", title: "a process that ends before its response", status: 500, sentence: /killed by a fault/, word: "interrupted",
    send: async token => {
      await failNext("POST /orders", { stage: "response" });
      return placeOrder(token);
    },
  },
];

/** Sends to queues take this long, so that a journey can be seen while it happens. */
const SLOW = { queues: { "*": { throttle: 0, fail: 0, delayMs: 1500 } } };

/**
 * Places an order and calls `seen` at three moments of its journey: before its event is in a queue,
 * while consumers work, and at rest.
 */
export async function orderAtThreeMoments(token, seen) {
  await setFaults(SLOW);
  try {
    const placed = await placeOrder(token);
    assert.equal(placed.status, 201);
    await eventually("its event to be sent", async () => has(await journeyOf(placed.id), "invocation", "working"));
    await seen("begun", placed.id);
    await eventually("a consumer to have begun", async () => (await journeyOf(placed.id)).nodes.filter(({ kind }) => kind === "message").length > 1);
    await seen("growing", placed.id);
    await eventually("the order's journey to be at rest", async () => isAtRest(await journeyOf(placed.id)), 40);
    await seen("at-rest", placed.id);
    return placed;
  } finally {
    await clearFaults();
  }
}

const has = (journey, kind, state) => journey.nodes.some(node => node.kind === kind && node.state === state);

const isAtRest = journey => journey.atRest && journey.nodes.some(({ kind }) => kind === "mail");

/** Seconds after which an order that was not approved is cancelled, with a reserve. */
const SAGA_S = 900 + 120;

/**
 * An order that nobody approves: the function ends before each commit. `retrying` is called while
 * its message waits for the next delivery. Then the clock moves until the order is cancelled.
 */
export async function timedOutOrder(token, retrying = () => {}) {
  await setFaults({ kill: { ApproveCustomerFunction: { beforeCommit: 1, afterCommit: 0 } } });
  try {
    const placed = await placeOrder(token, order(2), { client: fresh("timed-out") });
    assert.equal(placed.status, 201);
    await eventually("the approval to be tried again", async () => has(await journeyOf(placed.id), "message", "retrying"));
    await retrying(placed.id);
    await pass(SAGA_S);
    const compensated = journey => journey.nodes.some(({ compensates }) => compensates);
    // The run that is due at the moved clock gets an environment with the new time, and finds the order.
    await eventually("the order to be cancelled", async () => compensated(await journeyOf(placed.id)), 40);
    return placed;
  } finally {
    await clearFaults();
  }
}
