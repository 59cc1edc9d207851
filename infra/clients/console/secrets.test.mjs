// No password, token or secret is in any response below /activity or in any view of the page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { story, useBrowser, visit } from "./browser.mjs";
import { control, CONTROL, eventually, fresh, journeyOf, PASSWORD, placeOrder, send, signIn } from "./platform.mjs";

useBrowser();

/** Secrets that requests, mails, tables and stand-ins have had, by a name for the message. */
async function secretsInUse() {
  const secrets = { "the demo's password": PASSWORD };
  for (const account of ["customer", "writer", "admin"]) secrets[`the token of ${account}`] = await signIn(account);
  await orders(secrets["the token of customer"]);

  const email = `${fresh("ada")}@example.com`;
  secrets["a new password"] = "a-password-of-my-own-7";
  await send("POST", "/users", { body: { email, password: secrets["a new password"], name: "Ada" } });
  const [path, token] = await mailed(email, 1);
  secrets["the token of a verification"] = token;
  const proof = await send("PUT", path, { body: { token, password: secrets["a new password"] } });
  assert.ok(proof.status < 300, `${proof.status}`);

  await send("POST", "/password-resets", { body: { email } });
  const [resetPath, resetToken] = await mailed(email, 2);
  secrets["the token of a password reset"] = resetToken;
  secrets["the next password"] = "the-password-after-it-8";
  const reset = await send("PUT", resetPath, { body: { token: resetToken, password: secrets["the next password"] } });
  assert.ok(reset.status < 300, `${reset.status}`);

  secrets["the token of a share link"] = await sharedArticle(secrets["the token of writer"]);
  await send("GET", "/partner/products", { headers: { "accept-language": "en", "x-partner-id": "partner" } });
  Object.assign(secrets, await stored());
  return secrets;
}

async function orders(token) {
  const { id } = await placeOrder(token);
  await send("GET", "/orders", { token });
  await send("GET", "/orders", { headers: { "x-api-key": "an-api-key-of-someone", cookie: "session=a-session-of-someone" } });
  await eventually("the order's journey to be at rest", async () => (await journeyOf(id)).atRest);
}

/** The path and the token in the latest of so many mails to an address. */
function mailed(email, number) {
  return eventually(`mail ${number} to ${email}`, async () => {
    const { mails } = await control("GET", `/mailbox?to=${encodeURIComponent(email)}`);
    if (mails.length < number) return null;
    const { text } = mails.toSorted((one, other) => one.sentAt.localeCompare(other.sentAt)).at(-1);
    return [/PUT (\S+)/.exec(text)[1], /"token": "([^"]+)"/.exec(text)[1]];
  });
}

async function sharedArticle(token) {
  const article = await send("POST", "/articles", { token, body: { title: "How kettles whistle", content: "By steam." } });
  const shared = await send("POST", `/articles/${article.body.data.articleId}/share-links`, { token });
  const { url } = shared.body.data;
  const read = await send("GET", new URL(url, "http://here").pathname + new URL(url, "http://here").search);
  assert.equal(read.status, 200);
  return [...new URL(url, "http://here").searchParams.values()].at(-1);
}

/** The template's secrets, and the hashes of the passwords. */
async function stored() {
  const { items } = await control("GET", "/tables/UsersTable");
  const hashes = JSON.stringify(items).match(/\$argon2[^"]+/g);
  assert.ok(hashes.length > 0);
  const environment = await control("GET", "/environment");
  const setting = name => new RegExp(`^export ${name}='(.*)'$`, "m").exec(environment)[1];
  const secrets = { "the hash of a password": hashes[0], "the hash of another password": hashes.at(-1) };
  for (const name of ["CURSOR_KEY", "PARTNER_CREDENTIALS", "SIGNING_KEYS", "VERIFICATION_KEYS", "NOTIFIERS"]) {
    const [, id] = new RegExp(`^export ${name}_SECRET_ID='(.*)'$`, "m").exec(environment);
    const value = await secretValue(setting("AWS_ENDPOINT_URL"), id);
    for (const [place, text] of texts(value).entries()) secrets[`${name}, text ${place}`] = text;
  }
  return secrets;
}

async function secretValue(endpoint, id) {
  const response = await fetch(endpoint, {
    method: "POST",
    body: JSON.stringify({ SecretId: id }),
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "secretsmanager.GetSecretValue",
      authorization: "AWS4-HMAC-SHA256 Credential=OPERATOR/20260101/eu-west-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=none",
    },
  });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()).SecretString;
}

/** The secret texts of a value: itself, or the members of a document whose names are not public. */
function texts(value) {
  let document;
  try {
    document = JSON.parse(value);
  } catch {
    return [value];
  }
  const found = [];
  const collect = (value, name) => {
    if (typeof value === "string") {
      if (/secret|key$|private|token|^d$|url|hook/i.test(name) && value.length >= 16) found.push(value);
    } else if (value !== null && typeof value === "object") {
      for (const [member, inner] of Object.entries(value)) collect(inner, Array.isArray(value) ? name : member);
    }
  };
  collect(document, "");
  return found;
}

/** The names of the secrets that a text has, also when it is escaped or encoded. */
function found(text, secrets) {
  const forms = secret => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString("base64")];
  return Object.entries(secrets).filter(([, secret]) => forms(secret).some(form => text.includes(form))).map(([name]) => name);
}

/** Every address of /activity with what is in memory now: the address and its text. */
async function everything() {
  const read = new Map();
  const get = async path => {
    const response = await fetch(`${CONTROL}${path}`);
    const text = await response.text();
    read.set(path, text);
    return response.ok && response.headers.get("content-type").includes("json") ? JSON.parse(text) : null;
  };
  const { requests } = await get("/activity/requests?limit=60");
  for (const { id } of requests) {
    const place = `/activity/requests/${encodeURIComponent(id)}`;
    for (const part of ["", "/curl", "/test"]) await get(place + part);
    const { nodes } = await get(`${place}/journey`);
    for (const { kind, link } of nodes) if (kind !== "request" && link !== null) await get(`/activity/invocations/${link}`);
  }
  const { tables } = await get("/activity/tables");
  for (const { name, key } of tables) {
    const { items } = await get(`/activity/tables/${name}/items?limit=200`);
    for (const item of items.slice(0, 5)) {
      const keys = { pk: item[key.partition.name], ...(key.sort ? { sk: item[key.sort.name] } : {}) };
      await get(`/activity/tables/${name}/history?${new URLSearchParams(keys)}`);
    }
  }
  const { queues } = await get("/activity/queues");
  for (const { name } of queues) await get(`/activity/queues/${name}/messages?limit=100`);
  for (const name of ["mails", "schedules", "standins", "caches", "map", "accounts", "next-fault", "charts?minutes=10"]) await get(`/activity/${name}`);
  return read;
}

test("no response below /activity has a secret", async () => {
  const secrets = await secretsInUse();
  const read = await everything();

  assert.ok(read.size > 150 && Object.keys(secrets).length > 12, `${read.size} responses, ${Object.keys(secrets).length} secrets`);
  const shown = [...read].flatMap(([path, text]) => found(text, secrets).map(name => `${path}: ${name}`));
  assert.deepEqual(shown, []);
  console.log(`${Object.keys(secrets).length} secrets are in none of ${read.size} responses`);
});

test("the search finds a secret in the addresses for programs, which show it", async () => {
  const secrets = { "a token": await signIn("customer"), "the password": PASSWORD };
  const email = `${fresh("control")}@example.com`;
  await send("POST", "/users", { body: { email, password: "a-password-of-my-own-7", name: "Ada" } });
  [, secrets["a mailed token"]] = await mailed(email, 1);

  assert.deepEqual(found(await (await fetch(`${CONTROL}/mailbox`)).text(), secrets), ["a mailed token"]);
});

story("no view has a secret, and the page keeps none", { mayBeRefused: true }, async page => {
  const secrets = await secretsInUse();
  const bodies = [];
  page.on("response", response => {
    if (!/event-stream/.test(response.headers()["content-type"] ?? "")) bodies.push(response.text().catch(() => ""));
  });
  const { requests } = await control("GET", "/activity/requests?limit=25");
  const { mails } = await control("GET", "/activity/mails");
  const places = [
    ...requests.flatMap(({ id }) => [`requests/${encodeURIComponent(id)}`, `requests/${encodeURIComponent(id)}/journey`]),
    ...["UsersTable", "TokensTable", "OutboxTable", "LedgerTable", "MailAddressesTable"].map(name => `tables/${name}`),
    ...mails.slice(0, 5).map(({ messageId }) => `mails/${messageId}`),
    "requests", "map", "charts", "tables", "queues", "queues/EmailsQueue", "schedules", "caches", "standins", "faults", "clock",
  ];
  const shown = [];
  for (const place of places) {
    await visit(page, place);
    await page.locator("main .loading").first().waitFor({ state: "detached" });
    await page.evaluate(() => new Promise(requestAnimationFrame));
    // Also what is folded, and the texts of attributes.
    const html = await page.evaluate(() => [document.documentElement.outerHTML, ...[...document.querySelectorAll("iframe")].map(frame => frame.srcdoc)].join("\n"));
    shown.push(...found(html, secrets).map(name => `${place}: ${name}`));
  }
  assert.deepEqual(shown, []);
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage, cookie: document.cookie }));
  const loaded = (await Promise.all(bodies)).join("\n");
  assert.deepEqual(found(kept + loaded, secrets), []);
});
