// The API's documentation, whose requests are sent as an account of the demo.

import assert from "node:assert/strict";
import { filter, rows, story, useBrowser, visit } from "./browser.mjs";

useBrowser();

/** Sends an operation's request by the documentation. Returns the status and the body that it shows. */
async function sent(docs, tag, operation) {
  const block = docs.locator(`#operations-${tag}-${operation}`);
  if (!(await block.evaluate(block => block.classList.contains("is-open")))) await block.locator(".opblock-summary-control").click();
  await block.locator("button.execute").click();
  const shown = block.locator(".live-responses-table");
  await shown.waitFor();
  return {
    status: (await shown.locator("tbody .response-col_status").first().innerText()).split("\n")[0],
    body: await shown.locator("tbody .response-col_description").first().innerText(),
  };
}

story("a request is sent as a chosen account, and appears in the list as this page's", { place: "docs", mayBeRefused: true }, async page => {
  const docs = page.frameLocator("iframe.docs");
  await docs.locator("#operations-rules-get_rules, #operations-orders-list_orders").first().waitFor();

  await page.getByLabel("Send as").selectOption("admin");
  const answer = await sent(docs, "orders", "list_orders");

  assert.equal(answer.status, "200", answer.body);
  await visit(page, "requests");
  await filter(page, "orders is:replay");
  await filter(page, "");
  await page.getByRole("button", { name: "Only mine" }).click();
  const row = rows(page).filter({ hasText: "/orders" }).first();
  await row.waitFor();
  assert.match(await row.innerText(), /00000000-0000-7000-8000-000000000008/);
});

story("without an account a request is anonymous", { place: "docs", mayBeRefused: true }, async page => {
  const docs = page.frameLocator("iframe.docs");
  await docs.locator("#operations-orders-list_orders").waitFor();
  await page.getByLabel("Send as").selectOption("");

  const answer = await sent(docs, "orders", "list_orders");

  assert.equal(answer.status, "401");
});

story("the token of an account reaches neither the page nor its storage", { place: "docs", mayBeRefused: true }, async page => {
  const bodies = [];
  page.on("response", response => {
    // The description has an example of a token.
    if (!response.url().endsWith("/openapi.json")) bodies.push(response.text().catch(() => ""));
  });
  const docs = page.frameLocator("iframe.docs");
  await docs.locator("#operations-orders-list_orders").waitFor();
  await page.getByLabel("Send as").selectOption("customer");
  await sent(docs, "orders", "list_orders");

  const all = (await Promise.all(bodies)).join("\n") + await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.ok(!/\beyJ[\w-]+\.[\w-]+\.[\w-]+/.test(all));
});

story("a document that cannot be shown is an error", {}, async page => {
  await page.route("**/openapi.json", route => route.fulfill({ json: { openapi: "3.0.3" } }));

  await visit(page, "docs");

  await page.frameLocator("iframe.docs").getByText(/^The document cannot be shown: /).waitFor();
});
