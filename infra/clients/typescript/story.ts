// A customer's story, told with the client that openapi-typescript makes of infra/openapi.json.
// `cargo xtask clients typescript` generates the client, type-checks this file and runs it against
// the local platform.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Product = components["schemas"]["ProductView"];
type OrderDraft = components["schemas"]["OrderDraft"];

const baseUrl = process.env["API_URL"];
assert(baseUrl, "API_URL says where the API is");

const api = createClient<paths>({ baseUrl });

const settleLimitMs = 60_000;

async function story(): Promise<void> {
  await signIn("customer@example.com", "correct-horse-battery");
  const products = await browse();
  const addressId = await enterAddress();
  const draft: OrderDraft = {
    items: [{ productId: affordable(products).productId, quantity: 2 }],
    addressId,
    paymentMethod: "CARD",
  };
  const orderId = await order(draft);
  await settled(orderId);
  await refusals(draft);
  await cancel(orderId);
}

async function signIn(email: string, password: string): Promise<void> {
  const wrong = await api.POST("/sessions", { body: { email, password: "wrong-horse-battery" } });
  assert.equal(wrong.response.status, 401);
  assert.equal(refusal(wrong.error).code, "CREDENTIALS_WRONG");

  const { data } = await api.POST("/sessions", { body: { email, password } });
  assert(data);
  const token = data.data.accessToken;
  api.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${token}`);
    },
  });
  console.log(`signed in as ${email}`);
}

async function browse(): Promise<Product[]> {
  const products: Product[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const query = cursor === undefined ? { limit: 2 } : { limit: 2, cursor };
    const { data } = await api.GET("/products", { params: { query } });
    assert(data);
    products.push(...data.data);
    cursor = data.nextCursor;
    pages += 1;
  } while (cursor !== undefined);
  assert(pages >= 2, "the products of the demo take more than one page of two");
  assert.equal(new Set(products.map(product => product.productId)).size, products.length);

  const { error, response } = await api.GET("/products", { params: { query: { cursor: "!" } } });
  assert.equal(response.status, 400);
  assert.equal(refusal(error).details?.[0]?.field, "query.cursor");
  console.log(`saw ${products.length} products on ${pages} pages`);
  return products;
}

function affordable(products: readonly Product[]): Product {
  const product = products.find(product => product.available && product.stock >= 2);
  assert(product, "a product is in stock");
  return product;
}

async function enterAddress(): Promise<string> {
  const body = { buildingNumber: 44, streetName: "Main Street", city: "Springfield", country: "US" } as const;
  const { data } = await api.POST("/addresses", { body });
  assert(data);
  return data.data.addressId;
}

async function order(draft: OrderDraft): Promise<string> {
  const params = { header: { "Idempotency-Key": randomUUID() } };
  const first = await api.POST("/orders", { params, body: draft });
  assert(first.data);
  assert.equal(first.response.status, 201);
  assert.equal(first.data.data.status, "PENDING");

  const again = await api.POST("/orders", { params, body: draft });
  assert(again.data);
  assert.equal(again.response.headers.get("Idempotency-Replayed"), "true");
  assert.deepEqual(again.data, first.data);
  console.log(`ordered ${first.data.data.orderId}, once`);
  return first.data.data.orderId;
}

async function settled(orderId: string): Promise<void> {
  const deadline = Date.now() + settleLimitMs;
  for (;;) {
    const { data } = await api.GET("/orders/{orderId}", { params: { path: { orderId } } });
    assert(data);
    const { status, serialNumber } = data.data;
    if (status !== "PENDING") {
      assert.equal(status, "APPROVED");
      assert(serialNumber !== undefined && serialNumber >= 1 && serialNumber <= 100);
      console.log(`approved with the serial number ${serialNumber}`);
      return;
    }
    assert(Date.now() < deadline, "the order is still PENDING");
    await sleep(200);
  }
}

async function refusals(draft: OrderDraft): Promise<void> {
  const place = (items: OrderDraft["items"]) =>
    api.POST("/orders", {
      params: { header: { "Idempotency-Key": randomUUID() } },
      body: { ...draft, items },
    });

  const malformed = await place([{ productId: randomUUID(), quantity: 0 }]);
  assert.equal(malformed.response.status, 400);
  const invalid = refusal(malformed.error);
  assert.equal(invalid.code, "INVALID_REQUEST");
  assert.deepEqual(invalid.details?.map(violation => violation.field), ["/items/0/quantity"]);

  const { error, response } = await place([{ productId: randomUUID(), quantity: 1 }]);
  assert.equal(response.status, 422);
  const refused = refusal(error);
  switch (refused.code) {
    case "PRODUCT_UNKNOWN":
      console.log(`refused: ${refused.message} ${refused.details?.[0]?.field ?? ""}`);
      break;
    case "OUT_OF_STOCK":
      throw new Error("the product should be unknown");
    default:
      throw new Error(`another refusal: ${refused.code}`);
  }

  const missing = await api.GET("/orders/{orderId}", { params: { path: { orderId: randomUUID() } } });
  assert.equal(missing.response.status, 404);
  assert.equal(refusal(missing.error).code, "NOT_FOUND");
}

async function cancel(orderId: string): Promise<void> {
  const cancelled = await api.DELETE("/orders/{orderId}", { params: { path: { orderId } } });
  assert.equal(cancelled.response.status, 204);
  const again = await api.DELETE("/orders/{orderId}", { params: { path: { orderId } } });
  assert.equal(again.response.status, 404);
  assert.equal(refusal(again.error).code, "NOT_FOUND");
  console.log("called off, once");
}

/** The error that a function answers; the gateway's own answers have only a message. */
function refusal<E>(error: E | undefined): Extract<E, { error: unknown }>["error"] {
  assert(typeof error === "object" && error !== null && "error" in error, "a function refused");
  return (error as Extract<E, { error: unknown }>).error;
}

/** What must not compile: `tsc` fails where one of these does. */
export const mistakes = {
  // @ts-expect-error There is no such path.
  path: () => api.GET("/order"),
  // @ts-expect-error A limit is a number.
  limit: () => api.GET("/products", { params: { query: { limit: "2" } } }),
  // @ts-expect-error An order needs an idempotency key.
  key: (body: OrderDraft) => api.POST("/orders", { body }),
  // @ts-expect-error There is no such way to pay.
  payment: (draft: OrderDraft): OrderDraft => ({ ...draft, paymentMethod: "CHEQUE" }),
  // @ts-expect-error An order that is read has no field of this name.
  field: (order: components["schemas"]["OrderView"]) => order.orderNumber,
};

await story();
