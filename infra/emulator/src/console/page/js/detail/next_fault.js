// The fault that the next matching request meets once.

import { html } from "../../vendor/htm-preact.js";
import { call, get, inOrder } from "../api.js";
import { Shape } from "../icons.js";
import { changes } from "../live.js";
import { Menu } from "../parts.js";
import { attempt, notify } from "../session.js";
import { createStore, useStore } from "../store.js";

/** The fault that is set, or `null`. */
export const nextFault = createStore(null);

/** The pause before a look whether a request has met the fault. */
const LOOK_MS = 400;

const begin = inOrder();

let look = null;

// A request that meets the fault takes it away.
changes.subscribe(() => {
  if (nextFault.get() === null || look !== null) return;
  look = setTimeout(() => {
    look = null;
    readNextFault();
  }, LOOK_MS);
});

/** Reads the fault that is set. */
export async function readNextFault() {
  const isLatest = begin();
  const shown = await get("activity/next-fault").catch(() => null);
  if (isLatest()) nextFault.set(shown?.at ? shown : null);
}

/** Shows the fault after a change of it. The responses to requests that began before are old. */
function changed(fault) {
  begin()();
  nextFault.set(fault);
}

/** The next request of the route, or any if it is `null`, fails at the place. */
export async function failNext(route, at) {
  await call("PUT", "activity/next-fault", { route, at });
  changed({ route, at });
  notify(`The next ${route ?? "request"} fails ${placeName(at)}`);
}

/** The places at which the next request of this route can fail, as items of a menu. */
export function failPlaces(request) {
  const services = service => [...new Set(request.calls.filter(call => call.service === service).flatMap(call => call.resources))];
  const pure = { disabled: true, hint: "reads and writes nothing, so nothing can fail around it" };
  return [
    { heading: `Next ${request.route ?? "request"}, once` },
    { label: "2 Authentication", hint: "the authorizer fails", at: { stage: "authentication" } },
    { label: "1, 3, 4, 5, 7", ...pure },
    { label: "6 Retrieval", hint: "the first read fails", at: { stage: "retrieval" } },
    { label: "8 Effects", hint: "the transaction fails", at: { stage: "effects" } },
    { label: "9 Response", hint: "killed after the commit", at: { stage: "response" } },
    { heading: "The process is killed" },
    { label: "Before the commit", at: { commit: "before" } },
    { label: "After the commit", at: { commit: "after" } },
    ...named("A call to a table fails", services("dynamodb"), table => ({ table })),
    ...named("A call to a queue fails", services("sqs"), queue => ({ queue })),
  ];
}

const named = (heading, names, at) =>
  names.length === 0 ? [] : [{ heading }, ...names.map(name => ({ label: name, at: at(name) }))];

function placeName(at) {
  if (at.stage) return `at ${at.stage}`;
  if (at.commit) return `${at.commit} its commit`;
  return `at its first call to ${at.table ?? at.queue}`;
}

async function clear() {
  await call("DELETE", "activity/next-fault");
  changed(null);
}

/** The line above the view while a fault is set. */
export function NextFaultLine() {
  const fault = useStore(nextFault);
  if (fault === null) return null;
  return html`
    <div class="armed" role="status"><${Shape} state="interrupted" />
      <span>The next <b>${fault.route ?? "request"}</b> fails ${placeName(fault.at)}.</span>
      <button onClick=${() => attempt(clear)}>Clear</button></div>`;
}

/** The menu that makes the next request of any route fail. */
export function NextFault() {
  const items = failPlaces({ route: null, calls: [] }).map(place => place.at === undefined ? place : {
    ...place,
    action: () => attempt(() => failNext(null, place.at)),
  });
  return html`<div class="nextfault"><${Menu} label="Fail the next request" icon="faults" items=${items} />
    <span class="muted">Of one route: “Fail next” of a request.</span></div>`;
}
