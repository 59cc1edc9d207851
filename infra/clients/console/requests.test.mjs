// Requests, live: they appear when they arrive, can be filtered, paused and followed.

import assert from "node:assert/strict";
import { filter, openRequest, rows, story, useBrowser } from "./browser.mjs";
import { fresh, send, signIn } from "./platform.mjs";

useBrowser();

story("a request appears while the page is open", {}, async page => {
  const client = fresh("live");
  await filter(page, `client:${client}`);
  await page.getByText("No request matches.").waitFor();

  await send("GET", "/products?limit=2", { client });

  const row = rows(page).filter({ hasText: "/products?limit=2" }).filter({ hasText: "200" });
  await row.waitFor();
  assert.equal(await row.locator(".c1").innerText(), "200");
  assert.equal(await row.locator(".c2").innerText(), "GET");
  assert.match(await row.locator(".c6").innerText(), /^[\d.]+ (ms|s)$/);
  assert.equal(await row.locator(".strip").getAttribute("aria-label"), "passed all stages");
});

story("a row has its code, its caller and the stage that refused it", {}, async page => {
  const client = fresh("row");
  await filter(page, `client:${client}`);

  await send("GET", "/rules", { token: await signIn("customer"), client });

  const row = rows(page).filter({ hasText: "/rules" }).filter({ hasText: "403" });
  await row.waitFor();
  assert.equal(await row.locator(".c1").innerText(), "403");
  assert.equal(await row.locator(".c5").innerText(), "FORBIDDEN");
  assert.equal(await row.locator(".strip").getAttribute("aria-label"), "refused at authorization");
  assert.match(await row.locator(".c7").innerText(), /00000000-0000-7000-8000-000000000001/);
});

story("words and terms filter the list", {}, async page => {
  const client = fresh("filter");
  await send("GET", "/products", { client });
  await send("GET", "/nowhere/at/all", { client });

  await filter(page, `client:${client}`);
  await rows(page).nth(1).waitFor();
  await filter(page, `client:${client} status:4xx`);
  await assertPaths(page, ["/nowhere/at/all"]);
  await filter(page, `client:${client} -status:4xx`);
  await assertPaths(page, ["/products"]);
  await filter(page, `client:${client} stage:routing`);
  await assertPaths(page, ["/nowhere/at/all"]);
  await filter(page, `client:${client} nowhere`);
  await assertPaths(page, ["/nowhere/at/all"]);
  await filter(page, `client:${client}`);
  await page.getByRole("button", { name: "4xx" }).click();
  await assertPaths(page, ["/nowhere/at/all"]);
});

async function assertPaths(page, paths) {
  await page.waitForFunction(paths => {
    const shown = [...document.querySelectorAll(".space .row .c3")].map(cell => cell.textContent);
    return shown.length === paths.length && shown.every((path, place) => path === paths[place]);
  }, paths);
}

story("a paused list counts the new requests and shows them afterwards", {}, async page => {
  const client = fresh("pause");
  await send("GET", "/products", { client });
  await filter(page, `client:${client}`);
  await rows(page).first().waitFor();

  await page.getByRole("button", { name: "Pause" }).click();
  await send("GET", "/healthcheck", { client });
  await page.locator(".tally", { hasText: "1 new" }).waitFor();
  await assertPaths(page, ["/products"]);

  await page.getByRole("button", { name: "Go on" }).click();
  await assertPaths(page, ["/healthcheck", "/products"]);
});

story("the client of a request is followed by a click", {}, async page => {
  const client = fresh("follow");
  const { id } = await send("GET", "/products", { client });
  await send("GET", "/products", { client: fresh("other") });
  await openRequest(page, id);

  await page.getByTitle("Show only requests of this client").click();

  await assertPaths(page, ["/products"]);
  assert.match(await page.getByRole("combobox", { name: "Filter" }).inputValue(), new RegExp(client));
});

story("`Only mine` shows the requests of this page", {}, async page => {
  const { id } = await send("GET", "/products?limit=1", { client: fresh("not-mine") });
  await openRequest(page, id);
  await page.getByRole("button", { name: "Only mine" }).click();
  await page.getByText("No request matches.").waitFor();

  await page.getByRole("button", { name: "Resend" }).click();
  await page.getByRole("menuitem", { name: "With the same key" }).click();

  await assertPaths(page, ["/products?limit=1"]);
});
