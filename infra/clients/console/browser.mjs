// The console in a browser. Each story has a page of its own, which may load nothing from elsewhere
// and may not complain.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { CONTROL } from "./platform.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser logs each response with an error status; a story about such responses allows it. */
const REFUSED = /^Failed to load resource: the server responded with a status of [45]\d\d/;

const WAIT_MS = 15_000;

let browser;

export async function launch() {
  browser = await chromium.launch({ executablePath: process.env.BROWSER, args: FLAGS });
  return browser;
}

/** Launches the browser for the tests of a file. */
export function useBrowser() {
  before(launch);
  after(() => browser.close());
}

/**
 * Opens the console at a place, such as `map` or `requests/ID`.
 *
 * @param {{colorScheme?: "light"|"dark", width?: number, height?: number, bypassCSP?: boolean}} options
 */
export async function open(place = "", { width = 1440, height = 900, ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    permissions: ["clipboard-read", "clipboard-write"],
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const asked = [];
  const complaints = [];
  page.on("request", request => asked.push(request.url()));
  page.on("pageerror", error => complaints.push(String(error.stack ?? error)));
  page.on("console", message => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(`${CONTROL}/#/${place}`);
  await page.locator(".connection.passed").waitFor();
  return { page, asked, complaints, close: () => context.close() };
}

/** A test with a page. `place` is where it begins; `mayBeRefused` allows responses with errors. */
export function story(name, { place, mayBeRefused = false, ...options }, body) {
  test(name, async t => {
    const opened = await open(place, options);
    try {
      await body(opened.page, t);
      const complaints = opened.complaints.filter(text => !(mayBeRefused && REFUSED.test(text)));
      assert.deepEqual(complaints, [], "the page has no complaints");
      const elsewhere = opened.asked.filter(url => !isOwn(url));
      assert.deepEqual(elsewhere, [], "the page asks its own origin only");
    } catch (error) {
      await opened.page.screenshot({ path: `failed-${name.replaceAll(/\W+/g, "-")}.png` }).catch(() => {});
      throw error;
    } finally {
      await opened.close();
    }
  });
}

const isOwn = url => /^(data|blob|about):/.test(url) || new URL(url).origin === new URL(CONTROL).origin;

/** Goes to another place of the open page. */
export const visit = (page, place) => page.evaluate(place => { location.hash = `#/${place}`; }, place);

/** Opens a request by its id. */
export async function openRequest(page, id, tab = "") {
  await visit(page, `requests/${encodeURIComponent(id)}${tab && `/${tab}`}`);
  await page.locator("article.request h1").waitFor();
}

/** Shows only the requests of a client. */
export async function filter(page, text) {
  await page.getByRole("combobox", { name: "Filter" }).fill(text);
}

/** The rows of the list, of which only the visible ones are in the document. */
export const rows = page => page.locator(".space .row");

/** The nine boxes: `{name, word, state}`. */
export const boxes = page => page.locator(".stages .box").evaluateAll(all => all.map(box => ({
  name: box.querySelector(".name").textContent.replaceAll("\u00ad", ""),
  word: box.querySelector(".word").textContent.trim(),
  took: box.querySelector(".took").textContent.trim(),
})));

/** The message at the bottom of the page. */
export const notice = page => page.locator(".notice").last();
