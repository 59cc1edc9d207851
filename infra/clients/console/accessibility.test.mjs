// Every view, light and dark, without serious or critical findings of axe-core.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before } from "node:test";
import { story, useBrowser, visit } from "./browser.mjs";
import { failNext, placeOrder, send, signIn } from "./platform.mjs";
import { REFUSALS } from "./scenarios.mjs";

useBrowser();

const axe = await readFile(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const ids = {};

before(async () => {
  const token = await signIn("customer");
  ids.placed = (await placeOrder(token)).id;
  ids.validation = (await REFUSALS[4].send(token)).id;
  await failNext("POST /orders", { stage: "effects" });
  ids.failed = (await placeOrder(token)).id;
  await send("GET", "/partner/products", { headers: { "accept-language": "en", "x-partner-id": "partner" } });
});

/** The frame has its own page, which is Swagger UI's and no part of ours. */
const OTHERS = { exclude: [["iframe"]] };

const places = () => [
  "requests",
  `requests/${encodeURIComponent(ids.placed)}`,
  `requests/${encodeURIComponent(ids.placed)}/journey`,
  `requests/${encodeURIComponent(ids.validation)}`,
  `requests/${encodeURIComponent(ids.failed)}`,
  "requests/none", "map", "charts", "tables", "tables/OrdersTable", "queues", "queues/EmailsDeadLetterQueue", "mails", "schedules", "caches",
  "standins", "faults", "clock", "docs",
];

/** Parts that open: the place and what a person does. */
const OPENED = [
  ["requests", async page => page.keyboard.press("?")],
  [null, async page => page.keyboard.press("e")],
  [null, async page => page.getByRole("button", { name: "Fail next" }).click()],
  ["queues/EmailsQueue", async page => page.getByRole("button", { name: "Send…" }).click()],
  ["tables/OrdersTable", async page => page.locator(".grid button").first().click()],
  ["faults", async page => page.getByLabel("Add to Tables").selectOption("OrdersTable")],
];

async function findings(page, place) {
  const { violations } = await page.evaluate(others => window.axe.run({ include: [["html"]], ...others }, { resultTypes: ["violations"] }), OTHERS);
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${place}: ${id}: ${nodes.slice(0, 3).map(({ html, any }) => `${html.slice(0, 160)} (${any[0]?.message ?? ""})`).join("; ")}`);
}

for (const colorScheme of ["light", "dark"]) {
  // The page's policy forbids scripts of others, and axe-core is one.
  story(`no serious finding in any view, ${colorScheme}`, { colorScheme, bypassCSP: true, mayBeRefused: true }, async page => {
    await page.evaluate(axe);
    const found = [];
    for (const place of places()) {
      await visit(page, place);
      await settled(page);
      found.push(...await findings(page, place));
    }
    for (const [place, act] of OPENED) {
      await visit(page, place ?? places()[1]);
      await settled(page);
      await act(page);
      await page.waitForTimeout(150);
      found.push(...await findings(page, `${place ?? "a request"}, opened`));
      await page.keyboard.press("Escape");
    }
    assert.deepEqual(found, []);
  });
}

async function settled(page) {
  await page.waitForTimeout(150);
  await page.locator("main .loading").first().waitFor({ state: "detached" });
  await page.waitForTimeout(250);
}

story("the colours follow the system, and the switch wins", { colorScheme: "light" }, async page => {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();

  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await background();
  assert.notEqual(dark, light);
  await page.getByRole("button", { name: "Colours: system" }).click();
  await page.waitForFunction(light => getComputedStyle(document.body).backgroundColor === light, light);
});
