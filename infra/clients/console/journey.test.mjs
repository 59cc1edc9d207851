// The journey of an order, at three moments, and of one that times out.

import assert from "node:assert/strict";
import { openRequest, story, useBrowser, visit } from "./browser.mjs";
import { control, eventually, journeyOf, placeOrder, signIn } from "./platform.mjs";
import { orderAtThreeMoments, timedOutOrder } from "./scenarios.mjs";

useBrowser();

const card = (page, title) => page.locator(".card", { hasText: title }).first();

// The word of a state is only read aloud where its mark and the next line say it.
const state = async card => (await card.locator(".third > :first-child").textContent()).trim();

story("the journey of an order grows from the request to the mail", {}, async page => {
  const moments = {
    begun: async id => {
      await openRequest(page, id, "journey");
      await card(page, "POST /orders").waitFor();
      assert.equal(await state(card(page, "POST /orders")), "done");
      assert.equal(await state(card(page, "CreateOrderFunction")), "working");
      assert.equal(await card(page, "EmailsQueue").count(), 0);
      assert.match(await page.locator(".rest").innerText(), /working/);
    },
    growing: async () => {
      // Without a reload.
      await card(page, "CustomerApprovalsQueue").waitFor();
      await card(page, "EmailsQueue").waitFor();
    },
    "at-rest": async () => {
      await page.locator(".rest", { hasText: /^\s*At rest after/ }).waitFor();
      assert.equal(await state(card(page, "We have received your order")), "done");
      assert.equal(await state(card(page, "SettleOrderFunction")), "done");
    },
  };

  await orderAtThreeMoments(await signIn("customer"), (moment, id) => moments[moment](id));

  const steps = await page.getByRole("region", { name: "Steps of the journey" }).locator("tbody tr").count();
  assert.equal(steps, await page.locator(".card").count());
});

story("waiting is shown apart from work", {}, async page => {
  const { id } = await placeOrder(await signIn("customer"));
  await eventually("the journey to be at rest", async () => (await journeyOf(id)).atRest);
  await openRequest(page, id, "journey");

  const message = card(page, "CustomerApprovalsQueue");
  assert.match(await message.getAttribute("title"), /waited [\d.]+ m?s, worked [\d.]+ m?s/);
  const widths = await message.evaluate(card => ["waited", "worked"].map(name => card.querySelector(`.times .${name}`).getBoundingClientRect().width));
  assert.ok(widths.every(width => width > 0), `${widths}`);
});

story("a run of a function opens from its card", {}, async page => {
  const { id } = await placeOrder(await signIn("customer"));
  await eventually("the journey to be at rest", async () => (await journeyOf(id)).atRest);
  await openRequest(page, id, "journey");

  await card(page, "ApproveCustomerFunction").click();

  const dialog = page.getByRole("dialog", { name: "Run of a function" });
  await dialog.getByText("1 message of CustomerApprovalsQueue").waitFor();
  await dialog.getByRole("button", { name: /TransactWriteItems/ }).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
});

story("a message leads back to the request that caused it", {}, async page => {
  const { id } = await placeOrder(await signIn("customer"));
  const { nodes } = await eventually("the journey to be at rest", async () => {
    const journey = await journeyOf(id);
    return journey.atRest && journey.nodes.some(({ kind }) => kind === "message") && journey;
  });
  const message = nodes.find(({ kind }) => kind === "message").id.replace(/^message:/, "");

  await visit(page, `messages/${encodeURIComponent(message)}`);

  await page.waitForURL(url => url.hash === `#/requests/${encodeURIComponent(id)}/journey`);
});

story("an order that times out shows its next try, and what undoes it", {}, async page => {
  const token = await signIn("customer");
  const { id } = await timedOutOrder(token, async id => {
    await openRequest(page, id, "journey");
    const message = card(page, "CustomerApprovalsQueue");
    await page.waitForFunction(() => [...document.querySelectorAll(".card.retrying .next")].some(({ textContent }) => /^try 2 in \d/.test(textContent)));
    assert.equal(await state(message), "retrying");
    assert.match(await message.locator(".second").innerText(), /SIGKILL/);
  });

  const undone = page.locator(".card.compensates", { hasText: "OrderTimedOut" }).first();
  await undone.waitFor();
  assert.match(await undone.innerText(), /compensates/);
  await card(page, "ExpireSagasFunction").waitFor();
  await card(page, "SettleOrderFunction").waitFor();
  const row = await control("GET", `/activity/requests/${encodeURIComponent(id)}`);
  assert.equal(row.status, 201);
});
