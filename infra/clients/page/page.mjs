// The documentation page in a browser: it shows every operation, asks no other origin, and sends
// requests. `cargo xtask docs-page` runs this against the local platform.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const control = process.env.CONTROL_URL;
const api = process.env.API_URL;
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const browser = await chromium.launch({ executablePath: process.env.BROWSER, args: flags });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  page.setDefaultTimeout(60_000);
  const asked = [];
  const complaints = [];
  page.on("request", request => asked.push(request.url()));
  page.on("pageerror", error => complaints.push(String(error)));
  page.on("console", message => {
    if (message.type() === "error") complaints.push(message.text());
  });

  await page.goto(`${control}/docs`);
  await everyOperationIsShown(page);
  await coloursFollowTheSystem(page);
  assert.deepEqual(complaints, [], "the page loads without complaints");
  await requestsAreSent(page);

  const elsewhere = asked.filter(url => !url.startsWith("data:") && new URL(url).origin !== control);
  assert.deepEqual(elsewhere, [], "the page asks its own origin only");
  console.log(`${asked.length} requests, all to the page's own origin`);
} finally {
  await browser.close();
}

async function everyOperationIsShown(page) {
  const description = await (await fetch(`${control}/openapi.json`)).json();
  const operations = Object.values(description.paths).flatMap(item => Object.values(item));
  await page.locator(".opblock").first().waitFor();
  const shown = await page.locator(".opblock").evaluateAll(blocks => blocks.map(block => block.id));
  const ids = operations.map(operation => `operations-${operation.tags[0]}-${operation.operationId}`);
  assert.deepEqual(shown.toSorted(), ids.toSorted());
  console.log(`${ids.length} operations are shown`);
}

async function coloursFollowTheSystem(page) {
  const colour = () => getComputedStyle(document.querySelector(".opblock-tag")).color;
  await page.emulateMedia({ colorScheme: "light" });
  await page.waitForFunction(() => !document.documentElement.matches(".dark-mode"));
  const light = await page.evaluate(colour);
  await page.screenshot({ path: "light.png" });

  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction(() => document.documentElement.matches(".dark-mode"));
  // The page changes its colours over 0.2 s.
  await page.waitForFunction(
    before => getComputedStyle(document.querySelector(".opblock-tag")).color !== before,
    light,
  );
  await page.screenshot({ path: "dark.png" });
}

async function requestsAreSent(page) {
  const products = await sent(page, "catalogue", "list_products");
  assert.equal(products.status, "200");
  assert.match(products.body, /Desk lamp/);
  assert.ok(products.command.includes(`'${api}/products`), products.command);

  const stranger = await sent(page, "orders", "list_orders");
  assert.equal(stranger.status, "401");

  const session = await sent(page, "people", "post_session", {
    body: { email: "admin@example.com", password: "correct-horse-battery" },
  });
  assert.equal(session.status, "200");
  // The page has signed itself in.
  const orders = await sent(page, "orders", "list_orders");
  assert.equal(orders.status, "200", orders.body);
  assert.match(orders.command, /Authorization: Bearer /);
  console.log("requests were sent as nobody and as an administrator, and their answers shown");
}

// Sends an operation's request by the page, and returns what the page shows of it.
async function sent(page, tag, operation, { body } = {}) {
  const block = page.locator(`#operations-${tag}-${operation}`);
  if (!(await block.evaluate(block => block.classList.contains("is-open")))) {
    await block.locator(".opblock-summary-control").click();
  }
  if (body !== undefined) await block.locator("textarea.body-param__text").fill(JSON.stringify(body));
  const answered = page.waitForResponse(answer => new URL(answer.url()).pathname.startsWith("/api/"));
  await block.locator("button.execute").click();
  await answered;
  const shown = block.locator(".live-responses-table");
  await shown.waitFor();
  return {
    status: (await shown.locator("tbody .response-col_status").first().innerText()).split("\n")[0],
    body: await shown.locator("tbody .response-col_description").first().innerText(),
    command: await block.locator(".curl-command .curl").innerText(),
  };
}
