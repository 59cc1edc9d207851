// 10,000 requests in memory and 200 a second that arrive: the page keeps its size and its pace.
//
// The figures of the frames are printed. Only bounds that hold on any machine are asserted.

import assert from "node:assert/strict";
import { before } from "node:test";
import { filter, open, openRequest, rows, story, useBrowser } from "./browser.mjs";
import { API, control, pause, send } from "./platform.mjs";

useBrowser();

const KEPT = 10_000;
const PER_SECOND = 200;
const SECONDS = 6;
/** A frame that takes longer is a page that does not react. */
const LONGEST_MS = 1_000;
const ELEMENTS_MAX = 2_500;

/** Requests without a route are answered by the gateway alone, so the machine is left to the page. */
const cheap = number => fetch(`${API}/volume/${number}`).then(response => response.arrayBuffer());

before(async () => {
  let sent = (await control("GET", "/activity/requests?limit=1")).total;
  const work = async () => {
    while (sent < KEPT + 500) await cheap((sent += 1));
  };
  await Promise.all(Array.from({ length: 16 }, work));
});

/** Sends so many requests a second until it is stopped. */
function arriving() {
  let stopped = false;
  let sent = 0;
  const done = (async () => {
    const start = performance.now();
    while (!stopped) {
      const due = Math.floor(((performance.now() - start) / 1000) * PER_SECOND);
      const burst = [];
      while (sent < due) burst.push(cheap((sent += 1)));
      await Promise.all(burst);
      await pause(20);
    }
    return sent / ((performance.now() - start) / 1000);
  })();
  return () => {
    stopped = true;
    return done;
  };
}

/** The times between frames during an action, in milliseconds. */
async function frames(page, act) {
  await page.evaluate(() => {
    window.frameTimes = [];
    let last = performance.now();
    const tick = now => {
      window.frameTimes.push(now - last);
      last = now;
      window.frame = requestAnimationFrame(tick);
    };
    window.frame = requestAnimationFrame(tick);
  });
  await act();
  const times = await page.evaluate(() => {
    cancelAnimationFrame(window.frame);
    return window.frameTimes.slice(1);
  });
  const sorted = times.toSorted((one, other) => one - other);
  const at = share => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { count: times.length, median: at(0.5), p99: at(0.99), longest: sorted.at(-1) };
}

const elements = page => page.evaluate(() => document.querySelectorAll("*").length);

async function measured(name, page, act) {
  const stop = arriving();
  const figures = await frames(page, act);
  const rate = await stop();
  const number = await elements(page);
  const [median, p99, longest] = [figures.median, figures.p99, figures.longest].map(ms => ms.toFixed(1));
  console.log(`${name}: ${rate.toFixed(0)} requests a second, ${figures.count} frames, median ${median} ms, p99 ${p99} ms, longest ${longest} ms, ${number} elements`);
  assert.ok(figures.longest < LONGEST_MS, `the longest frame took ${longest} ms`);
  assert.ok(number < ELEMENTS_MAX, `${number} elements`);
}

const full = page => page.waitForFunction(kept => Number(/^[\d,]+/.exec(document.querySelector(".tally").textContent.trim())[0].replaceAll(",", "")) >= kept, KEPT);

story("the list stays at the newest while requests arrive", {}, async page => {
  await full(page);

  await measured("at the top", page, () => pause(SECONDS * 1000));

  assert.ok((await rows(page).count()) < 80);
  const newest = await rows(page).first().locator(".c3").innerText();
  const marker = await send("GET", "/volume/marker");
  assert.equal(marker.status, 404);
  await rows(page).first().locator(".c3", { hasText: "/volume/marker" }).waitFor();
  assert.notEqual(newest, "/volume/marker");
});

story("the list scrolls while requests arrive, and the rows that are read stay", {}, async page => {
  await full(page);
  await page.locator(".pane").hover();

  await measured("scrolling", page, async () => {
    for (let turn = 0; turn < SECONDS * 8; turn += 1) {
      await page.mouse.wheel(0, turn % 8 < 6 ? 900 : -600);
      await pause(100);
    }
  });

  const read = () => page.evaluate(() => {
    const top = document.querySelector(".pane").getBoundingClientRect().top + 26;
    const row = [...document.querySelectorAll(".space .row")].find(row => row.getBoundingClientRect().bottom > top + 30);
    return row.querySelector(".c3").textContent;
  });
  await pause(300);
  const before = await read();
  const stop = arriving();
  await pause(1500);
  await stop();
  assert.equal(await read(), before);
});

story("keys and the filter work while requests arrive", {}, async page => {
  await full(page);

  await measured("typing", page, async () => {
    for (let turn = 0; turn < SECONDS; turn += 1) {
      await filter(page, "");
      await page.keyboard.press("/");
      const begun = performance.now();
      await page.keyboard.type("status:5xx volume");
      await page.waitForFunction(() => /^0/.test(document.querySelector(".tally").textContent.trim()));
      assert.ok(performance.now() - begun < 5_000, "the filter answers");
      await pause(600);
    }
  });
});

story("an open request is legible while requests arrive", {}, async page => {
  await full(page);
  const { id } = await send("GET", "/products");
  await openRequest(page, id);

  await measured("with a request open", page, async () => {
    for (let turn = 0; turn < SECONDS * 2; turn += 1) {
      await page.keyboard.press(String((turn % 9) + 1));
      await pause(500);
    }
  });

  assert.match(await page.locator("article.request h1").innerText(), /\/products/);
});

story("memory is bounded: the oldest requests go, and the page says so by its count", {}, async page => {
  await full(page);
  const { total, dropped } = await control("GET", "/activity/requests?limit=1");
  assert.ok(total <= KEPT, `${total} are kept`);
  assert.ok(dropped > 0, `${dropped} were dropped`);
  await page.waitForFunction(most => Number(/^[\d,]+/.exec(document.querySelector(".tally").textContent.trim())[0].replaceAll(",", "")) <= most, KEPT + 500);
});

story("several pages follow at once", {}, async page => {
  const others = await Promise.all([open(), open(), open()]);
  const stop = arriving();
  await pause(1500);
  await stop();
  await send("GET", "/volume/last");
  for (const each of [page, ...others.map(other => other.page)]) await rows(each).locator(".c3", { hasText: "/volume/last" }).first().waitFor();
  await Promise.all(others.map(other => other.close()));
});
