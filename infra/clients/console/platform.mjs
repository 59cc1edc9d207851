// The platform as a client and an operator see it: requests to the API, and the control address.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

export const API = process.env.API_URL;
export const CONTROL = process.env.CONTROL_URL;

/** The password of all accounts of the demo. */
export const PASSWORD = "correct-horse-battery";

/** Items of the demo. */
export const LAMP = "00000000-0000-7000-8000-000000000101";
export const TABLE = "00000000-0000-7000-8000-000000000102";
export const ADDRESS = "00000000-0000-7000-8000-000000000201";
const NOTHING = "00000000-0000-7000-8000-000000000999";

/** A valid order of the demo's customer. */
export const order = (quantity = 1, productId = LAMP) => ({
  addressId: ADDRESS,
  items: [{ productId, quantity }],
  paymentMethod: "CARD",
});

/** An order of a product that does not exist. */
export const orderOfNothing = () => order(1, NOTHING);

let unique = 0;

/** A name that no other request has. */
export const fresh = prefix => `${prefix}-${process.pid}-${Date.now().toString(36)}-${(unique += 1)}`;

/**
 * Sends a request to the API. The user agent is its name as a client, so that it can be found.
 *
 * @returns {Promise<{status: number, headers: Headers, body: any, id: string, client: string}>}
 *   `id` is the id of API Gateway, by which the console knows the request.
 */
export async function send(method, path, { token, body, text, headers = {}, client = fresh("test") } = {}) {
  const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(`${API}${path}`, {
    method,
    body: content,
    headers: {
      "user-agent": client,
      ...(content === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
  const answer = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(answer) : answer,
    id: response.headers.get("apigw-requestid"),
    client,
  };
}

/** Places an order, with a new idempotency key. */
export const placeOrder = (token, body = order(), options = {}) =>
  send("POST", "/orders", { token, body, ...options, headers: { "idempotency-key": fresh("key"), ...options.headers } });

/** The access token of an account of the demo. */
export async function signIn(name) {
  const session = await send("POST", "/sessions", { body: { email: `${name}@example.com`, password: PASSWORD } });
  assert.equal(session.status, 200);
  return session.body.data.accessToken;
}

/** A request to the control address. Returns its JSON, or its text. */
export async function control(method, path, body) {
  const response = await fetch(`${CONTROL}${path}`, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
}

/** The request as the console's JSON has it. */
export const recorded = id => control("GET", `/activity/requests/${encodeURIComponent(id)}`);

export const journeyOf = id => control("GET", `/activity/requests/${encodeURIComponent(id)}/journey`);

/** The next request of the route fails at the place. */
export const failNext = (route, at) => control("PUT", "/activity/next-fault", { route, at });

export const setFaults = faults => control("PUT", "/faults", faults);

export const clearFaults = () => control("DELETE", "/faults");

/** Moves the platform's clock forward. */
export async function pass(seconds) {
  const { offsetS } = await control("GET", "/clock");
  await control("PUT", "/clock", { offsetS: offsetS + seconds });
}

/** Waits until a look returns something, and returns it. */
export async function eventually(what, look, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, `${what} within ${seconds} s`);
    await pause(50);
  }
}

export { pause };
