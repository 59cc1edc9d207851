// The map, schedules, caches, stand-ins, the clock, faults and charts.

import assert from "node:assert/strict";
import { notice, rows, story, useBrowser, visit } from "./browser.mjs";
import { control, eventually, failNext, placeOrder, send, signIn } from "./platform.mjs";

useBrowser();

story("the map connects functions, tables and queues, with live counts", { place: "map" }, async page => {
  const node = title => page.locator(".node", { hasText: title });
  await node("CreateOrder").waitFor();
  const count = async () => Number((await node("CreateOrder").locator(".numbers span").last().innerText().catch(() => "0")).replaceAll(",", "")) || 0;
  const before = await count();

  await placeOrder(await signIn("customer"));

  await eventually("the count of invocations to grow", async () => (await count()) > before);
  await node("CreateOrder").hover();
  const connected = await node("CreateOrder").getAttribute("title");
  for (const name of ["OrdersTable", "EmailsQueue", "ProductsTable", "POST /orders"]) assert.ok(connected.includes(name), `${name}: ${connected}`);
  await node("CreateOrder").click();
  await page.waitForURL(url => url.hash === "#/requests");
  await rows(page).first().waitFor();
  assert.ok((await rows(page).locator(".c3").allInnerTexts()).every(path => path === "/orders"));
});

story("a view that is loaded late does not displace the next one", {}, async page => {
  let release;
  const released = new Promise(resolve => { release = resolve; });
  await page.route("**/console/js/views/charts.js", async route => {
    await released;
    await route.continue();
  });
  const requested = page.waitForRequest("**/console/js/views/charts.js");
  await visit(page, "charts");
  await requested;
  await visit(page, "clock");
  await page.getByRole("heading", { name: "Clock" }).waitFor();

  release();

  await page.evaluate(() => import(new URL("console/js/views/charts.js", location.href).href).then(() => null));
  await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.equal(await page.getByRole("heading", { name: "Clock" }).count(), 1);
});

story("a view that cannot be loaded is an error", { mayBeRefused: true }, async page => {
  await page.route("**/console/js/views/charts.js", route => route.fulfill({ status: 503 }));

  await visit(page, "charts");

  await page.getByRole("alert").getByText("The view could not be loaded.").waitFor();
});

story("the map narrows to a name", { place: "map" }, async page => {
  await page.locator(".node", { hasText: "CallbacksQueue" }).waitFor();

  await page.getByLabel("Narrow to").fill("CallbacksQueue");

  await page.waitForFunction(() => document.querySelectorAll(".node").length < 12);
  assert.ok((await page.locator(".node .label").allInnerTexts()).includes("ProcessCallback"));
});

story("a schedule is run now", { place: "schedules" }, async page => {
  const row = page.locator("tr", { hasText: "SweepOutboxFunction" });
  const runs = async () => Number(await row.locator("td").nth(4).innerText());
  await row.waitFor();
  const before = await runs();

  await page.getByRole("button", { name: "Run now: SweepOutboxFunction" }).click();

  await notice(page).getByText("SweepOutboxFunction has run").waitFor();
  await eventually("the run to be counted", async () => (await runs()) > before);
});

story("the authorizer's cache and the processes are shown", { place: "caches" }, async page => {
  await send("GET", "/orders", { token: await signIn("customer") });

  const processes = page.locator("section", { has: page.getByRole("heading", { name: "Processes" }) });
  await processes.locator("tr", { hasText: "AuthorizerFunction" }).first().waitFor();
  await processes.locator("tr", { hasText: "ListOrdersFunction" }).first().waitFor();
  assert.match(await page.locator("main").innerText(), /TokenAuthorizer/);
});

story("a stand-in shows the requests that it got", { place: "standins" }, async page => {
  await send("GET", "/partner/products", { headers: { "accept-language": "en", "x-partner-id": "partner" } });

  const partner = page.locator("section", { has: page.getByRole("heading", { name: /^partner/ }) });
  await partner.locator("summary", { hasText: "/v2/product-list" }).first().waitFor();
  assert.match(await partner.locator("h2").innerText(), /up/);
});

story("the clock moves forward by a click", { place: "clock" }, async page => {
  const { offsetS } = await control("GET", "/clock");

  await page.getByRole("button", { name: "+ 30 s" }).click();

  await notice(page).getByText("The clock is 30 s further").waitFor();
  assert.equal((await control("GET", "/clock")).offsetS, offsetS + 30);
  await page.locator(".nav .badge.calm").waitFor();
});

story("faults are set by the form, and cleared", { place: "faults", mayBeRefused: true }, async page => {
  await page.getByLabel("Add to Tables").selectOption("ProductsTable");
  await page.getByLabel("ProductsTable: fail, percent").fill("100");
  await page.getByRole("button", { name: "Set", exact: true }).first().click();

  await page.locator(".tags.set", { hasText: "ProductsTable: fail 100 %" }).waitFor();
  assert.equal((await control("GET", "/faults")).tables.ProductsTable.fail, 1);
  const { status } = await send("GET", "/products/00000000-0000-7000-8000-000000000106");
  assert.equal(status, 503);

  await page.getByRole("button", { name: "Clear all" }).click();
  await page.locator(".tags.set").waitFor({ state: "detached" });
  assert.deepEqual((await control("GET", "/faults")).tables, {});
});

story("faults are set as JSON, whose mistakes are explained", { place: "faults", mayBeRefused: true }, async page => {
  await page.getByRole("button", { name: "JSON" }).click();
  await page.getByRole("textbox").fill('{"tables": {"OrdersTable": {"fail": 7}}}');
  await page.getByRole("button", { name: "Set", exact: true }).first().click();

  await notice(page).waitFor();
  assert.match(await notice(page).innerText(), /fail|0 to 1|rate|probability/i);
});

story("charts show the rate, the times, the errors by route and the starts", { place: "charts" }, async page => {
  await failNext("POST /orders", { stage: "effects" });
  await placeOrder(await signIn("customer"));
  await visit(page, "requests");
  await visit(page, "charts");

  await page.locator(".chart canvas").nth(2).waitFor();
  assert.deepEqual(await page.locator(".chart figcaption").allInnerTexts(), ["Requests per second", "Time of a request", "Errors by route", "Cold and warm starts"]);
  await page.getByRole("img", { name: /Errors by route: .*POST \/orders/ }).waitFor();
  const before = await page.locator(".charts canvas").first().evaluate(canvas => canvas.toDataURL());
  await page.getByRole("button", { name: "60 min" }).click();
  await page.waitForFunction(before => document.querySelector(".charts canvas")?.toDataURL() !== before, before);
});
