// Screenshots of the console in light and dark: `node shots.mjs FOLDER`, run by
// `cargo xtask console-shots FOLDER`. The platform is new, so that the pictures have few requests.

import assert from "node:assert/strict";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { launch, open, openRequest, visit } from "./browser.mjs";
import {
  clearFaults, CONTROL, control, eventually, failNext, journeyOf, LAMP, order, placeOrder, send, setFaults, signIn,
} from "./platform.mjs";
import { orderAtThreeMoments, REFUSALS, timedOutOrder } from "./scenarios.mjs";

const folder = process.argv[2] ?? ".";
await mkdir(folder, { recursive: true });
const browser = await launch();
const SIZE = { width: 1280, height: 800 };
const { page } = await open("", SIZE);

/** The picture of the README, and the most bytes that it may have. */
const FIRST = "console.png";
const FIRST_BYTES_MAX = 200_000;

/** Takes both pictures of what the page shows. */
async function shot(name, size = SIZE) {
  await page.setViewportSize(size);
  await page.locator("main .loading").first().waitFor({ state: "detached" });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.mouse.move(0, 0);
    await page.waitForTimeout(250);
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize(SIZE);
}

/** A journey in its whole height. */
async function journeyShot(name) {
  await page.waitForTimeout(300);
  const height = await page.locator(".journey .canvas").evaluate(canvas => canvas.getBoundingClientRect().height);
  await shot(name, { width: SIZE.width, height: Math.round(Math.max(SIZE.height, Math.min(height + 180, 2_400))) });
}

async function request(name, id, ready = () => {}) {
  await openRequest(page, id);
  await ready();
  await shot(name);
}

const customer = await signIn("customer");

// Some traffic, so that the list and the charts have something to show.
const merchant = await signIn("merchant");
for (let turn = 0; turn < 6; turn += 1) {
  await placeOrder(customer, order(1 + (turn % 3)), { client: "shop" });
  await send("GET", "/products?limit=5", { client: "shop" });
  await send("GET", "/orders/user/00000000-0000-7000-8000-000000000001", { token: customer, client: "shop" });
  await send("PATCH", `/products/${LAMP}`, { token: merchant, client: "back-office", body: { stock: 100 + turn }, headers: { "if-match": "*" } });
}

// The journey first: the list of the later pictures has its requests.
await orderAtThreeMoments(customer, async (moment, id) => {
  await openRequest(page, id, "journey");
  await page.locator(".card").first().waitFor();
  await journeyShot(`journey-${["begun", "growing", "at-rest"].indexOf(moment) + 1}-${moment}`);
});

for (const [place, refusal] of REFUSALS.entries()) {
  const { id } = await refusal.send(customer);
  await request(`refused-${place + 1}-${refusal.stage.toLowerCase()}`, id);
  if (refusal.stage === "Rules") {
    await page.screenshot({ path: join(folder, FIRST) });
    const { size } = await stat(join(folder, FIRST));
    assert.ok(size < FIRST_BYTES_MAX, `${FIRST} has ${size} bytes`);
  }
}

// One request that decided twice, and one that passed.
await setFaults({ seed: 7, tables: { OrdersTable: { throttle: 0, fail: 0, conflict: 0.5, delayMs: 0 } } });
const tried = await eventually("an order with two attempts", async () => {
  const placed = await placeOrder(customer, order(), { client: "shop" });
  const { commit } = await control("GET", `/activity/requests/${encodeURIComponent(placed.id)}`);
  return placed.status === 201 && commit.attempts.length > 1 && placed;
});
await clearFaults();
await request("commit", tried.id, () => page.locator("#part-commit").evaluate(part => part.scrollIntoView()));
const placed = await placeOrder(customer, order(2), { client: "shop" });
await eventually("the journey to be at rest", async () => (await journeyOf(placed.id)).atRest);
await request("passed", placed.id);

await visit(page, "requests");
await shot("list");

for (const [name, place] of [["map", "map"], ["charts", "charts"], ["schedules", "schedules"], ["caches", "caches"], ["standins", "standins"]]) {
  await visit(page, place);
  await page.waitForTimeout(700);
  await shot(name, name === "map" ? { width: 1500, height: 1500 } : SIZE);
}

await visit(page, "tables/OrdersTable");
await page.locator(".grid button").first().click();
await page.locator(".history li").first().waitFor();
await shot("tables");

await setFaults({ mail: { throttle: 0, fail: 1, delayMs: 0 } });
await placeOrder(customer, order(), { client: "shop" });
await eventually("the mail to be tried again", async () => (await control("GET", "/activity/queues")).queues.some(({ name, inFlight }) => name === "EmailsQueue" && inFlight > 0));
await visit(page, "queues/EmailsQueue");
await page.locator(".message").first().waitFor();
await shot("queues");
await visit(page, "faults");
await page.locator(".tags.set").waitFor();
await page.getByLabel("Add to Tables").selectOption("OrdersTable");
await page.getByLabel("OrdersTable: throttled, percent").fill("10");
await shot("faults");
await clearFaults();

await send("POST", "/password-resets", { body: { email: "customer@example.com" } });
await visit(page, "mails");
await page.locator(".names.mails a", { hasText: "customer@example.com" }).nth(1).waitFor();
await page.locator(".names.mails a", { hasText: "Set a new password" }).click();
await page.locator(".mailhead", { hasText: "Set a new password" }).waitFor();
await shot("mails");

await failNext("POST /orders", { commit: "after" });
await visit(page, `requests/${encodeURIComponent(placed.id)}`);
await page.getByRole("button", { name: "Fail next" }).waitFor();
await page.reload();
await page.getByRole("button", { name: "Fail next" }).click();
await shot("fail-next");
await control("DELETE", "/activity/next-fault");

await visit(page, "docs");
await page.frameLocator("iframe.docs").locator(".opblock").first().waitFor();
await shot("docs");

// The clock moves here, so this is last.
const { id } = await timedOutOrder(customer, async id => {
  await openRequest(page, id, "journey");
  await page.locator(".card.retrying").first().waitFor();
  await journeyShot("timed-out-1-retrying");
});
await openRequest(page, id, "journey");
await page.locator(".card.compensates").first().waitFor();
await journeyShot("timed-out-2-compensated");

await browser.close();
console.log(`the pictures of ${CONTROL} are in ${folder}`);
