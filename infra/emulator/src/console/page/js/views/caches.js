// Facts that outlive a request: the gateway's authorizer caches, circuits and processes.

import { html } from "../../vendor/htm-preact.js";
import { useJson } from "../api.js";
import { count, plural, span, words } from "../format.js";
import { Shape } from "../icons.js";
import { Empty, FromNow, Head, Loaded } from "../parts.js";

const REFRESH_MS = 2_000;

export default function CachesView() {
  const all = useJson("activity/caches", { refreshMs: REFRESH_MS });
  return html`
    <${Head} title="Caches" hint="facts that outlive a request" />
    <div class="scroll" tabindex="0" role="region" aria-label="Caches"><${Loaded} of=${all}>${({ authorizers, circuits, functions }) => html`
      <section class="block"><h2>Authorizers</h2>${authorizers.length === 0
        ? html`<${Empty}>The template has no authorizers.<//>`
        : authorizers.map(authorizer => html`<${Authorizer} authorizer=${authorizer} />`)}</section>
      ${circuits !== null && html`<section class="block"><h2>Circuits<small>${circuits.table}</small></h2><${Circuits} items=${circuits.items} /></section>`}
      <section class="block"><h2>Processes</h2><${Environments} functions=${functions} /></section>`}<//></div>`;
}

const DECISIONS = { allowed: "passed", denied: "refused", running: "running", policy: "passed" };

const Authorizer = ({ authorizer: { api, authorizer, function: name, cacheTtlS, hits, misses, entries } }) => html`
  <h3>${authorizer}<small>${api} · ${name} · ${cacheTtlS === 0 ? "no cache" : `kept for ${span(cacheTtlS)}`} · ${count(hits)} hits, ${count(misses)} calls</small></h3>
  ${entries.length > 0 && html`<table>
    <thead><tr><th>Identity</th><th>Decision</th><th>Context</th><th class="n">Hits</th><th>Since</th><th>Until</th></tr></thead>
    <tbody>${entries.map(entry => html`
      <tr><td><code>${entry.identity}</code></td>
        <td><span class="mark"><${Shape} state=${DECISIONS[entry.decision] ?? "unknown"} />${words(entry.decision)}</span></td>
        <td class="wide"><code>${JSON.stringify(entry.context)}</code></td><td class="n">${count(entry.hits)}</td>
        <td><${FromNow} at=${entry.since} /></td><td>${entry.until ? html`<${FromNow} at=${entry.until} />` : "–"}</td></tr>`)}</tbody></table>`}`;

/** The rows of the service's table, whose members only the service knows. */
const Circuits = ({ items }) => items.length === 0 ? html`<${Empty}>No upstream has failed.<//>` : html`
  <table><tbody>${items.map(item => html`<tr><td>${Object.entries(item).map(([name, value]) => html`
    <span class="member"><small>${name}</small> ${typeof value === "string" ? value : JSON.stringify(value)}</span> `)}</td></tr>`)}</tbody></table>`;

const STATES = { idle: "passed", running: "running", initialising: "waiting", ending: "notReached" };

function Environments({ functions }) {
  const rows = Object.entries(functions).flatMap(([name, { waiting, environments }]) =>
    environments.map((environment, place) => ({ name, waiting: place === 0 ? waiting : 0, ...environment })));
  if (rows.length === 0) return html`<${Empty}>No function has a process; the next request starts one.<//>`;
  return html`
    <table><thead><tr><th>Function</th><th>Environment</th><th>State</th><th class="n">Age</th><th class="n">Invocations</th></tr></thead>
      <tbody>${rows.map(({ name, waiting, id, state, ageMs, invocations }) => html`
        <tr><td>${name}${waiting > 0 && html` <em>${plural(waiting, "invocation")} waiting</em>`}</td><td><code>${id}</code></td>
          <td><span class="mark"><${Shape} state=${STATES[state] ?? "unknown"} />${words(state)}</span></td>
          <td class="n">${span(ageMs / 1000)}</td><td class="n">${count(invocations)}</td></tr>`)}</tbody></table>`;
}
