// Do it again: resend, copy, and make the next request fail at a place.

import assert from "node:assert/strict";
import { boxes, notice, openRequest, story, useBrowser } from "./browser.mjs";
import { control, fresh, placeOrder, recorded, send, signIn } from "./platform.mjs";

useBrowser();

const menu = async (page, name, item) => {
  await page.getByRole("button", { name, exact: true }).click();
  await page.getByRole("menuitem", { name: item }).click();
};

/** Waits until the clipboard has a text of this form: the message of an earlier copy may still be shown. */
async function clipboard(page, form) {
  const isThere = async source => new RegExp(source).test(await navigator.clipboard.readText());
  await page.waitForFunction(isThere, form.source);
  return page.evaluate(() => navigator.clipboard.readText());
}

/** Follows the link of the message about a resent request. Returns the request as it was recorded. */
async function openResent(page) {
  await notice(page).getByRole("link", { name: "Open" }).click();
  await page.waitForFunction(before => !location.hash.includes(before), "none-yet");
  const id = decodeURIComponent(new URL(page.url()).hash.split("/")[2]);
  await page.locator(".heading dd", { hasText: "console-" }).waitFor();
  return recorded(id);
}

story("with the same key the stored response comes back", {}, async page => {
  const placed = await placeOrder(await signIn("customer"));
  await openRequest(page, placed.id);

  await menu(page, "Resend", "With the same key");

  await notice(page).getByText("Sent again: 201").waitFor();
  const again = await openResent(page);
  assert.equal(again.replayed, true);
  assert.equal(JSON.parse(again.answer.body).data.orderId, placed.body.data.orderId);
  assert.match(await page.locator(".title").innerText(), /replay/);
});

story("with a new key another order is placed, without showing the token", {}, async page => {
  const placed = await placeOrder(await signIn("customer"));
  await openRequest(page, placed.id);

  await menu(page, "Resend", "With a new key");

  await notice(page).getByText("Sent again: 201").waitFor();
  const again = await openResent(page);
  assert.equal(again.replayed, false);
  assert.notEqual(JSON.parse(again.answer.body).data.orderId, placed.body.data.orderId);
  assert.deepEqual(again.received.headers.filter(([name]) => name === "authorization"), [["authorization", "•••"]]);
});

story("an edited request is sent with its changes", {}, async page => {
  const placed = await placeOrder(await signIn("customer"));
  await openRequest(page, placed.id);

  await menu(page, "Resend", /Edit and send/);
  const dialog = page.getByRole("dialog", { name: "Edit POST" });
  const body = dialog.getByLabel("Body");
  await body.fill((await body.inputValue()).replace('"quantity": 1', '"quantity": 100'));
  await dialog.getByRole("button", { name: "Send" }).click();

  await notice(page).getByText("Sent again: 400").waitFor();
  const again = await openResent(page);
  assert.equal(again.refusedAt, "deserialization");
  assert.deepEqual(again.fieldErrors, [{ field: "/items/0/quantity", message: "must be from 1 to 99" }]);
});

story("an edited request is sent as another account", {}, async page => {
  const refused = await send("GET", "/rules", { token: await signIn("customer") });
  await openRequest(page, refused.id);
  assert.equal((await boxes(page))[2].word, "refused");

  await page.keyboard.press("e");
  const dialog = page.getByRole("dialog", { name: "Edit GET" });
  await dialog.getByLabel("As").selectOption("admin");
  await dialog.getByRole("button", { name: "Send" }).click();

  await notice(page).getByText("Sent again: 200").waitFor();
  const again = await openResent(page);
  assert.match(again.caller, /00000000-0000-7000-8000-000000000008/);
});

story("a hidden member of an edited body keeps its value", {}, async page => {
  const email = `${fresh("secret")}@example.com`;
  const password = "a-password-of-some-length";
  const signedUp = await send("POST", "/users", { body: { email, password, nickname: "Ada" } });
  assert.equal(signedUp.status, 400);
  await openRequest(page, signedUp.id);

  await menu(page, "Resend", /Edit and send/);
  const dialog = page.getByRole("dialog", { name: "Edit POST" });
  const body = dialog.getByLabel("Body");
  const shown = JSON.parse(await body.inputValue());
  assert.equal(shown.password, "•••");
  delete shown.nickname;
  await body.fill(JSON.stringify({ ...shown, name: "Ada" }));
  await dialog.getByRole("button", { name: "Send" }).click();

  await notice(page).getByText("Sent again: 2").waitFor();
});

story("the request is copied as a command that works, without its token", {}, async page => {
  const read = await send("GET", "/products?limit=1");
  await openRequest(page, read.id);

  await menu(page, "Copy", "As a curl command");
  await notice(page).getByText("Copied").waitFor();

  const command = await clipboard(page, /^curl [^]*\/products\?limit=1/);
  const { execFileSync } = await import("node:child_process");
  const answer = execFileSync("sh", ["-c", `${command} --silent`], { encoding: "utf8" });
  assert.match(answer, /"data":\s*\[/);
});

story("a token is a placeholder in the copied command and in the copied test", {}, async page => {
  const token = await signIn("customer");
  const placed = await placeOrder(token);
  await openRequest(page, placed.id);

  for (const [item, sign] of [["As a curl command", /authorization: Bearer '"\$\{TOKEN/], ["As a Rust test", /async fn /]]) {
    await menu(page, "Copy", item);
    await notice(page).getByText("Copied").waitFor();
    const copied = await clipboard(page, sign);
    assert.match(copied, sign);
    assert.ok(!copied.includes(token));
  }
});

const FAILURES = [
  { item: /^OrdersTable/, at: "at its first call to OrdersTable", box: 7, word: "failed", outcome: /failed/ },
  { item: /^Before the commit/, at: "before its commit", box: 7, word: "interrupted", outcome: /failed/ },
  { item: /^After the commit/, at: "after its commit", box: 8, word: "interrupted", outcome: /committed/ },
];

for (const { item, at, box, word, outcome } of FAILURES) {
  story(`the next request fails ${at}, once`, {}, async page => {
    const token = await signIn("customer");
    const placed = await placeOrder(token);
    await openRequest(page, placed.id);

    await menu(page, "Fail next", item);
    await page.locator(".armed", { hasText: `The next POST /orders fails ${at}.` }).waitFor();
    const failed = await placeOrder(token);
    assert.ok(failed.status >= 500);
    await page.locator(".armed").waitFor({ state: "detached" });
    const after = await placeOrder(token);
    assert.equal(after.status, 201);

    await openRequest(page, failed.id);
    await page.locator(".box").nth(box).locator(".word", { hasText: word }).waitFor();
    assert.match(await page.locator("#part-commit h3").first().innerText(), outcome);
  });
}

story("a fault that no request has met yet is cleared by a click", {}, async page => {
  const read = await send("GET", "/products");
  await openRequest(page, read.id);

  await menu(page, "Fail next", /Retrieval/);
  await page.locator(".armed").getByRole("button", { name: "Clear" }).click();

  await page.locator(".armed").waitFor({ state: "detached" });
  assert.deepEqual(await control("GET", "/activity/next-fault"), { route: null, at: null });
});
