// The commit: its writes, their conditions, what had changed, and how often it was tried.

import assert from "node:assert/strict";
import { openRequest, story, useBrowser } from "./browser.mjs";
import {
  clearFaults, control, eventually, failNext, LAMP, placeOrder, recorded, send, setFaults, signIn,
} from "./platform.mjs";

useBrowser();

const part = page => page.locator("#part-commit");

story("each write is shown with its condition and whether it held", {}, async page => {
  const placed = await placeOrder(await signIn("customer"));
  await openRequest(page, placed.id);

  assert.match(await part(page).locator("h3").innerText(), /^committed\s+TransactWriteItems · 3 writes · /);
  const writes = await part(page).locator("tbody tr").allInnerTexts();
  const write = text => writes.find(write => write.includes(text)) ?? assert.fail(`no write of ${text}: ${writes}`);
  assert.match(write("OrdersTable"), /put\s*state[^]*attribute_not_exists[^]*held/);
  assert.match(write("ProductsTable"), /update\s*state[^]*held/);
  assert.match(write("LedgerTable"), /idempotency record/);
  assert.match(await page.locator(".summary").innerText(), /All stages passed.*The commit changed 2 items/);
});

story("a commit that conflicts is shown with its attempts", {}, async page => {
  const { id } = await conflicting(await signIn("customer"));
  await openRequest(page, id);

  const attempts = await part(page).locator(".attempt").evaluateAll(all => all.map(attempt => ({
    outcome: attempt.className.split(" ")[1],
    title: attempt.querySelector("h3").textContent,
  })));
  assert.ok(attempts.length > 1);
  assert.ok(attempts.slice(0, -1).every(({ outcome }) => outcome !== "committed"), JSON.stringify(attempts));
  assert.equal(attempts.at(-1).outcome, "committed");
  for (const [place, { title }] of attempts.entries()) assert.ok(title.includes(`Attempt ${place + 1} of ${attempts.length}`), title);
});

/** An order whose first transaction meets a conflict and whose last succeeds. */
async function conflicting(token) {
  await setFaults({ seed: 7, tables: { OrdersTable: { throttle: 0, fail: 0, conflict: 0.5, delayMs: 0 } } });
  try {
    return await eventually("an order with a conflict to be placed", async () => {
      const placed = await placeOrder(token);
      const { commit } = await recorded(placed.id);
      return placed.status === 201 && commit.attempts.length > 1 && placed;
    });
  } finally {
    await clearFaults();
  }
}

story("a request that lost a race shows what had changed", {}, async page => {
  const raced = await race();
  await openRequest(page, raced.id);

  assert.match(await part(page).locator(".stale").innerText(), /changed since it was read[^]*version = \d+/);
  const bad = part(page).locator("tr.bad").first();
  assert.match(await bad.innerText(), /did not hold/);
  assert.match(await bad.locator(".found").innerText(), /version = \d+/);
});

/** Changes of one product at the same time, until one of them had to decide again. */
async function race() {
  const token = await signIn("merchant");
  return eventually("a request to lose a race", async () => {
    const changes = Array.from({ length: 8 }, (_, place) => change(token, place));
    const changed = await Promise.all(changes);
    for (const { id } of changed) {
      const { commit } = await recorded(id);
      if (commit !== null && commit.stale.length > 0) return { id };
    }
    return null;
  });
}

async function change(token, place) {
  return send("PATCH", `/products/${LAMP}`, {
    token, body: { description: `Changed ${place} at ${Date.now()}.` }, headers: { "if-match": "*" },
  });
}

story("a table that fails is named in the commit", {}, async page => {
  await failNext("POST /orders", { table: "OrdersTable" });
  const { id, status } = await placeOrder(await signIn("customer"));
  assert.equal(status, 503);
  await openRequest(page, id);

  assert.match(await part(page).locator("h3").first().innerText(), /failed/);
  await page.locator("#part-calls tr.bad button").first().waitFor();
  assert.match(await page.locator("#part-calls tr.bad .fault").first().innerText(), /\S/);
  await page.locator(".reason summary").click();
  assert.match(await page.locator(".reason pre").innerText(), /TransactWriteItems on ledger, orders, products failed/);
  assert.deepEqual(await control("GET", "/activity/next-fault"), { route: null, at: null });
});
