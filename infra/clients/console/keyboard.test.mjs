// The whole page by the keyboard alone.

import assert from "node:assert/strict";
import { boxes, filter, notice, openRequest, rows, story, useBrowser, visit } from "./browser.mjs";
import { fresh, placeOrder, send, signIn } from "./platform.mjs";

useBrowser();

const hash = page => page.evaluate(() => decodeURIComponent(location.hash));

/** Presses keys one after another, with a frame between them. */
async function press(page, ...keys) {
  for (const key of keys) {
    await page.keyboard.press(key);
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

const isAt = (page, place) => page.waitForFunction(place => decodeURIComponent(location.hash) === place, place);

story("the list: filter, move, open, close", {}, async page => {
  const client = fresh("keys");
  const first = await send("GET", "/products?limit=1", { client });
  const second = await send("GET", "/products?limit=2", { client });

  await press(page, "/");
  await page.keyboard.type(`client:${client}`);
  await rows(page).nth(1).waitFor();
  await press(page, "Escape", "j", "Enter");
  await isAt(page, `#/requests/${second.id}`);
  await page.locator(".stages").waitFor();
  await press(page, "j");
  await isAt(page, `#/requests/${first.id}`);
  await press(page, "k");
  await isAt(page, `#/requests/${second.id}`);
  await press(page, "Enter");
  await isAt(page, `#/requests/${second.id}/journey`);
  await press(page, "Escape");
  await isAt(page, `#/requests/${second.id}`);
  await press(page, "Escape");
  await isAt(page, "#/requests");
});

story("the list: pause and only mine", {}, async page => {
  await press(page, "p");
  await page.getByRole("button", { name: "Go on" }).waitFor();
  await press(page, "p");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await press(page, "m");
  assert.equal(await page.getByRole("button", { name: "Only mine" }).getAttribute("aria-pressed"), "true");
});

story("the list has the keys of a grid", {}, async page => {
  for (let place = 0; place < 3; place += 1) await send("GET", "/nowhere");
  await rows(page).nth(2).waitFor();
  await page.getByRole("grid").focus();

  await press(page, "ArrowDown", "ArrowDown");

  const selected = await page.locator(".row.selected").getAttribute("id");
  assert.equal(await page.getByRole("grid").getAttribute("aria-activedescendant"), selected);
});

story("a request: explain a stage, resend, edit", {}, async page => {
  const { id } = await send("GET", "/rules", { token: await signIn("customer") });
  await openRequest(page, id);

  await press(page, "1");
  assert.match(await page.locator(".reason").innerText(), /served by GetRulesFunction/);
  await press(page, "3");
  assert.match(await page.locator(".reason").innerText(), /not allowed/);
  await press(page, "r");
  await notice(page).getByText("Sent again: 403").waitFor();
  await press(page, "e");
  await page.getByRole("dialog", { name: "Edit GET" }).waitFor();
  await press(page, "Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await hash(page), `#/requests/${id}`);
});

story("a menu opens, moves and closes by keys", {}, async page => {
  const { id } = await placeOrder(await signIn("customer"));
  await openRequest(page, id);
  await tabTo(page, "Fail next");

  await press(page, "Enter");
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  assert.match(await focused(), /Authentication/);
  await press(page, "ArrowDown", "ArrowDown");
  assert.match(await focused(), /Retrieval/);
  await press(page, "Enter");
  await page.locator(".armed", { hasText: "fails at retrieval" }).waitFor();
  assert.match(await focused(), /Fail next/);
  await tabTo(page, "Clear", true);
  await press(page, "Enter");
  await page.locator(".armed").waitFor({ state: "detached" });
});

story("Space activates the element that has the focus", {}, async page => {
  const { id } = await send("GET", "/products?limit=1");
  await openRequest(page, id);
  await tabTo(page, "Resend");

  await press(page, "Space");

  await page.getByRole("menu", { name: "Resend" }).waitFor();
});

/** Presses Tab until an element with this text has the focus, which then has to be visible. */
async function tabTo(page, text, isBack = false) {
  for (let turn = 0; turn < 80; turn += 1) {
    await press(page, isBack ? "Shift+Tab" : "Tab");
    const found = await page.evaluate(text => {
      const { textContent, ariaLabel } = document.activeElement;
      return (ariaLabel ?? textContent).trim() === text;
    }, text);
    if (!found) continue;
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, "none", `the focus at ${text} is visible`);
    return;
  }
  assert.fail(`no way to ${text} by Tab`);
}

const VIEWS = {
  m: "map", c: "charts", t: "tables", q: "queues", e: "mails", s: "schedules", a: "caches", i: "standins", f: "faults", k: "clock", d: "docs", r: "requests",
};

story("each view has a key after `g`", {}, async page => {
  for (const [key, view] of Object.entries(VIEWS)) {
    await press(page, "g", key);
    await isAt(page, `#/${view}`);
    await page.locator(`.nav a[href="#/${view}"][aria-current=page]`).waitFor();
  }
});

story("the list of keys opens by `?` and closes by Escape", {}, async page => {
  await press(page, "?");
  const help = page.getByRole("dialog", { name: "Keys" });
  assert.match(await help.innerText(), /move down and up in the list/);
  await press(page, "Escape");
  await help.waitFor({ state: "detached" });
});

story("every view is left and every control is reached by Tab alone", {}, async page => {
  await placeOrder(await signIn("customer"));
  for (const view of Object.values(VIEWS).filter(view => view !== "docs")) {
    await visit(page, view);
    await page.locator("main .loading").waitFor({ state: "detached" });
    await page.evaluate(() => document.querySelector("main").focus());
    const reached = new Set();
    const total = await page.locator("main").evaluate(main => {
      const focusable = "a[href], button:not([disabled]), input, select, textarea, summary, [tabindex='0']";
      const all = [...main.querySelectorAll(focusable)].filter(element => element.tabIndex >= 0 && element.checkVisibility());
      all.forEach((element, place) => { element.dataset.place = place; });
      return all.length;
    });
    for (let turn = 0; turn <= total + 4; turn += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => document.activeElement.dataset.place ?? null);
      if (at === null && reached.size > 0) break;
      if (at !== null) reached.add(at);
    }
    assert.ok(reached.size >= Math.min(total, 3) && reached.size >= total * 0.9, `${view}: ${reached.size} of ${total} are reached`);
  }
});

story("a card of a journey opens by keys", {}, async page => {
  const { id } = await placeOrder(await signIn("customer"));
  await openRequest(page, id, "journey");
  await page.locator(".card", { hasText: "SettleOrderFunction" }).first().waitFor();
  await page.locator(".card", { hasText: "SettleOrderFunction" }).first().focus();

  await press(page, "Enter");

  await page.getByRole("dialog", { name: "Run of a function" }).waitFor();
  await press(page, "Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await hash(page), `#/requests/${id}/journey`);
});

story("a table, an item and its history by keys", { place: "tables" }, async page => {
  const { body } = await placeOrder(await signIn("customer"));
  await tabTo(page, `OrdersTable${await page.locator(".names a", { hasText: "OrdersTable" }).locator("small").innerText()}`);
  await press(page, "Enter");
  await page.getByLabel("pk begins with").focus();
  await page.keyboard.type(body.data.orderId);
  await press(page, "Enter");
  await page.waitForFunction(() => document.querySelectorAll(".grid tbody tr").length === 1);
  await tabTo(page, body.data.orderId);
  await press(page, "Enter");
  await page.getByRole("complementary", { name: "Item" }).waitFor();
  await press(page, "Escape");
  await page.getByRole("complementary", { name: "Item" }).waitFor({ state: "detached" });
});
