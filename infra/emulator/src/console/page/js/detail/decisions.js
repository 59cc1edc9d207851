// The decisions about the caller, the facts that were read, and the permissions that were used.

import { html } from "../../vendor/htm-preact.js";
import { count, duration, STAGES, stageIndex } from "../format.js";
import { Shape } from "../icons.js";

const BY = {
  access: "the endpoint's access rule, before anything is read",
  facts: "the facts that were read",
  limit: "the rate limit",
  caller: "the type of caller",
};

/** @typedef {{request: import("../types.js").RequestDetail}} Properties */

/** @param {Properties} properties */
export const Verdicts = ({ request }) => html`
  <table>
    <thead><tr><th>Stage</th><th>Decision</th><th>By</th><th>Reason</th><th class="n">Took</th></tr></thead>
    <tbody>${request.verdicts.map(verdict => html`
      <tr class=${verdict.allowed ? "" : "bad"}>
        <td>${STAGES[stageIndex(verdict.stage)]?.[1]}</td>
        <td><${Mark} isGood=${verdict.allowed} yes="allowed" no="refused" /></td>
        <td>${BY[verdict.by] ?? verdict.by}${verdict.cached && html` <em title="The gateway had it in its cache">cached</em>`}</td>
        <td class="wide">${verdict.reason}</td>
        <td class="n">${duration(verdict.tookMs)}</td>
      </tr>`)}</tbody>
  </table>`;

/** @param {Properties} properties */
export function Facts({ request }) {
  const units = request.facts.reduce((sum, { readUnits }) => sum + (readUnits ?? 0), 0);
  return html`
    <table>
      <thead><tr><th>Source</th><th>Key</th><th>Read by</th><th class="n">Found</th><th class="n">Units</th><th class="n">Took</th></tr></thead>
      <tbody>${request.facts.map(fact => html`
        <tr class=${fact.error ? "bad" : ""}>
          <td>${fact.source}</td>
          <td class="wide"><code>${fact.key}</code>${fact.error && html`<p class="complaint"><${Shape} state="refused" />${fact.error}</p>`}</td>
          <td>${fact.operation}</td>
          <td class="n">${fact.found === 0 ? html`<em>none</em>` : fact.found === null ? "–" : count(fact.found)}</td>
          <td class="n">${fact.readUnits ?? "–"}</td>
          <td class="n">${duration(fact.tookMs)}</td>
        </tr>`)}</tbody>
      ${request.facts.length > 1 && html`<tfoot><tr><td colspan="4">Together</td><td class="n">${units}</td>
        <td class="n">${duration(request.facts.reduce((sum, { tookMs }) => sum + tookMs, 0))}</td></tr></tfoot>`}
    </table>`;
}

/** @param {Properties} properties */
export const Caches = ({ request }) => html`
  <ul class="tags">${request.caches.map(({ cache, hit }) => html`
    <li><${Shape} state=${hit ? "passed" : "notReached"} />${cache} <em>${hit ? "hit" : "miss"}</em></li>`)}</ul>`;

/** @param {Properties} properties */
export const Permissions = ({ request }) => html`
  <table>
    <thead><tr><th>Action</th><th>Resource</th><th>Policy</th><th class="n">Calls</th></tr></thead>
    <tbody>${request.permissions.toSorted((one, other) => one.allowed - other.allowed).map(permission => html`
      <tr class=${permission.allowed ? "" : "bad"}>
        <td><code>${permission.action}</code></td><td>${permission.resource}</td>
        <td><${Mark} isGood=${permission.allowed} yes="allows" no="does not allow" /></td>
        <td class="n">${permission.count}</td>
      </tr>`)}</tbody>
  </table>`;

/** A word with the shape of yes or no; a hyphen if it is not known. */
export const Mark = ({ isGood, yes, no }) => isGood === null
  ? html`<span class="mark">–</span>`
  : html`<span class=${`mark ${isGood ? "good" : "poor"}`}><${Shape} state=${isGood ? "passed" : "refused"} />${isGood ? yes : no}</span>`;
