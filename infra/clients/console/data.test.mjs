// Tables, queues and mails.

import assert from "node:assert/strict";
import { notice, story, useBrowser, visit } from "./browser.mjs";
import { clearFaults, control, eventually, fresh, journeyOf, pass, placeOrder, send, setFaults, signIn } from "./platform.mjs";

useBrowser();

story("a table is searched, and an item shows its writes", { place: "tables" }, async page => {
  const { id, body } = await placeOrder(await signIn("customer"));
  const { orderId } = body.data;
  await eventually("the order to be approved", async () => (await journeyOf(id)).atRest);

  await page.getByRole("navigation", { name: "Tables" }).getByRole("link", { name: /^OrdersTable/ }).click();
  await page.getByLabel("pk begins with").fill(orderId);
  await page.getByRole("button", { name: "Search" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".grid tbody tr").length === 1);
  await page.locator(".grid").getByRole("button", { name: orderId }).click();

  const item = page.getByRole("complementary", { name: "Item" });
  await item.getByText(/"status": "APPROVED"/).first().waitFor();
  const writes = item.locator(".history > li");
  await writes.nth(1).waitFor();
  assert.deepEqual(await writes.locator("a").allInnerTexts(), ["SettleOrderFunction", "CreateOrderFunction"]);
  await writes.nth(1).getByRole("link").click();
  await page.waitForURL(url => url.hash === `#/requests/${encodeURIComponent(id)}`);
});

story("a table has further pages, and finds texts", { place: "tables/UsersTable" }, async page => {
  await page.getByLabel("has the text").fill("gold@example.com");
  await page.getByRole("button", { name: "Search" }).click();

  await page.locator(".grid", { hasText: "gold@example.com" }).waitFor();
  assert.equal(await page.locator(".grid tbody tr", { hasText: "customer@example.com" }).count(), 0);
  assert.ok(!(await page.locator("main").innerText()).includes("$argon2"));
});

story("a further page that comes after another search is not shown", { place: "tables/UsersTable" }, async page => {
  let release;
  const released = new Promise(resolve => { release = resolve; });
  await page.route(/\/tables\/UsersTable\/items\?/, async route => {
    const query = new URL(route.request().url()).searchParams;
    if (query.has("after")) await released;
    const pk = query.has("after") ? "further" : query.get("pk") ?? "first";
    await route.fulfill({ json: { items: [{ pk }], next: pk === "first" ? "place" : null, read: 1 } });
  });
  await page.getByRole("button", { name: "Refresh" }).click();
  const further = page.waitForResponse(/[?&]after=/);
  await page.getByRole("button", { name: "More" }).click();
  await page.getByLabel("pk begins with").fill("other");
  await page.getByRole("button", { name: "Search" }).click();
  await page.locator(".grid").getByRole("button", { name: "other" }).waitFor();

  release();

  await (await further).finished();
  await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.equal(await page.locator(".grid tbody tr").count(), 1);
});

story("a message is sent, seen without being received, and redriven from its dead letters", { place: "queues" }, async page => {
  await setFaults({ kill: { ApproveCustomerFunction: { beforeCommit: 1, afterCommit: 0 } } });
  const dead = async () => (await control("GET", "/activity/queues")).queues.find(({ name }) => name === "CustomerApprovalsDeadLetterQueue").visible;
  try {
    const { id } = await placeOrder(await signIn("customer"));
    await eventually("the first delivery to fail", async () => (await journeyOf(id)).nodes.some(({ state }) => state === "retrying"));
    await visit(page, "queues/CustomerApprovalsQueue");
    const message = page.locator(".message").last();
    await message.getByText(/in flight, visible/).waitFor();
    assert.match(await message.locator("pre").innerText(), /"eventType": "OrderCreated"/);
    assert.match(await message.innerText(), /received 1 time/);

    await eventually("the message to be a dead letter", async () => {
      await pass(130);
      return (await dead()) > 0;
    }, 60);
  } finally {
    await clearFaults();
  }
  await page.getByRole("navigation", { name: "Queues" }).getByRole("link", { name: /CustomerApprovalsDeadLetterQueue/ }).click();
  const letter = page.locator(".message").first();
  await letter.getByRole("link", { name: "Journey" }).waitFor();
  await page.getByRole("button", { name: "Redrive all" }).click();

  await notice(page).getByText(/^\s*Moved \d+ message/).waitFor();
  await eventually("the redriven messages to be processed", async () => (await dead()) === 0);
  await page.getByText("The queue is empty.").waitFor();
});

story("a message is sent by hand, and its failure is seen", { place: "queues/ObjectExpiriesQueue" }, async page => {
  await page.getByRole("button", { name: "Send…" }).click();
  const dialog = page.getByRole("dialog", { name: "Send to ObjectExpiriesQueue" });
  await dialog.getByLabel("Body").fill('{"nothing": "that the function knows"}');
  await dialog.getByRole("button", { name: "Send" }).click();

  await notice(page).getByText("Sent to ObjectExpiriesQueue").waitFor();
  // A body that cannot be read is a dead letter after its first delivery, which takes milliseconds.
  const queue = page.getByRole("region", { name: "ObjectExpiriesQueue", exact: true });
  await queue.getByRole("link", { name: "ObjectExpiriesDeadLetterQueue" }).click();
  await page.locator(".message", { hasText: "that the function knows" }).waitFor();
});

story("a mail is drawn without its token", { place: "mails" }, async page => {
  const email = `${fresh("mail")}@example.com`;
  await send("POST", "/users", { body: { email, password: "a-password-of-some-length", name: "Ada" } });
  const mail = await eventually("the mail to arrive", async () => {
    const { mails } = await control("GET", "/mailbox");
    return mails.find(({ to }) => to.includes(email));
  });
  const token = /"token": "([^"]+)"/.exec(mail.text)[1];

  const link = page.getByRole("navigation", { name: "Mails" }).getByRole("link", { name: new RegExp(email) });
  await link.click();
  await page.locator(".mailhead", { hasText: email }).waitFor();

  const shown = await page.locator(".chosen").innerText();
  assert.ok(shown.includes("•••"), shown);
  assert.ok(!shown.includes(token), "the token of the mail is hidden");
  await page.locator(".mailhead").getByRole("link", { name: "Journey" }).click();
  await page.locator(".card", { hasText: "POST /users" }).first().waitFor();
});
