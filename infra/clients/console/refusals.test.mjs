// A request refused at each of the nine stages: the page shows where and why, without logs.

import assert from "node:assert/strict";
import { boxes, openRequest, story, useBrowser } from "./browser.mjs";
import { fresh, send, signIn } from "./platform.mjs";
import { REFUSALS } from "./scenarios.mjs";

useBrowser();

for (const [place, refusal] of REFUSALS.entries()) {
  const { stage, title, status, code, sentence, fields = {}, word = "refused" } = refusal;
  story(`${place + 1}. ${stage}: ${title}`, {}, async page => {
    const refused = await refusal.send(await signIn("customer"));
    assert.equal(refused.status, status);

    await openRequest(page, refused.id);

    const all = await boxes(page);
    assert.equal(all.length, 9);
    assert.deepEqual({ name: all[place].name, word: all[place].word }, { name: stage, word });
    assert.ok(all.slice(0, place).every(box => box.word === "passed"), JSON.stringify(all));
    assert.ok(all.slice(place + 1).every(box => box.word === "not reached" && box.took === ""), JSON.stringify(all));
    const reason = page.locator(".reason");
    assert.match(await reason.innerText(), sentence);
    if (code !== undefined) assert.equal(await reason.locator(".errorcode").innerText(), code);
    for (const [field, message] of Object.entries(fields)) await assertMarked(page, field, message);
  });
}

/** The sentence names the field, and the body is marked at its line. */
async function assertMarked(page, field, message) {
  const named = page.locator(".reason .fields li", { hasText: field });
  assert.match(await named.innerText(), new RegExp(message));
  const mark = page.locator("#part-input .complaint", { hasText: `${field}: ${message}` });
  assert.equal(await mark.count(), 1);
  const line = await mark.evaluate(mark => mark.previousElementSibling.textContent);
  assert.ok(line.includes(`"${field.split("/").at(-1)}"`), `${field} is marked at ${line}`);
}

story("a body that is no JSON is marked where it ends", {}, async page => {
  const token = await signIn("customer");
  const refused = await send("POST", "/orders", { token, text: '{"items": [', headers: { "idempotency-key": fresh("key") } });

  await openRequest(page, refused.id);

  assert.equal((await boxes(page))[3].word, "refused");
  assert.match(await page.locator(".reason").innerText(), /not valid JSON: a value or `\]` is expected at line 1, column 12/);
});

story("a stage that was passed or not reached explains itself by a click", {}, async page => {
  const refused = await REFUSALS[2].send(await signIn("customer"));
  await openRequest(page, refused.id);

  await page.locator(".box button").nth(0).click();
  assert.match(await page.locator(".reason").innerText(), /GET \/rules is served by GetRulesFunction/);
  await page.locator(".box button").nth(6).click();
  assert.match(await page.locator(".reason").innerText(), /ended before this stage/);
});

story("both decisions about the caller are shown", {}, async page => {
  const refused = await REFUSALS[6].send(await signIn("customer"));
  await openRequest(page, refused.id);

  const verdicts = await page.locator("#part-verdicts tbody tr").allInnerTexts();
  const has = text => verdicts.some(verdict => verdict.includes(text));
  assert.ok(has("the endpoint's access rule, before anything is read"), verdicts.join("\n"));
  assert.ok(has("the facts that were read"), verdicts.join("\n"));
  assert.ok(verdicts.every(verdict => verdict.includes("allowed")));
});
