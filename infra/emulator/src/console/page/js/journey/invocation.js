// One run of a function: its records, calls and log lines.

import { html } from "../../vendor/htm-preact.js";
import { path, useJson } from "../api.js";
import { Calls } from "../detail/calls.js";
import { Permissions } from "../detail/decisions.js";
import { LogLines } from "../detail/outcome.js";
import { duration, words } from "../format.js";
import { Shape } from "../icons.js";
import { Dialog, Loaded, Pairs, Time } from "../parts.js";

export function InvocationDialog({ id, onClose }) {
  const detail = useJson(path`activity/invocations/${id}`);
  return html`<${Dialog} title="Run of a function" onClose=${onClose} wide>
    <${Loaded} of=${detail}>${({ invocation, calls, logs, permissions }) => html`
      <${Summary} invocation=${invocation} />
      ${invocation.records.length > 0 && html`<h3>Records</h3><${Records} records=${invocation.records} />`}
      ${calls.length > 0 && html`<h3>Calls</h3><${Calls} request=${{ calls, invocation }} />`}
      ${permissions.length > 0 && html`<h3>Permissions</h3><${Permissions} request=${{ permissions }} />`}
      ${logs.length > 0 && html`<h3>Logs</h3><${LogLines} logs=${logs} />`}`}
    <//>
  <//>`;
}

const Summary = ({ invocation }) => html`
  ${invocation.error && html`<p class="complaint"><${Shape} state="refused" />${invocation.error}</p>`}
  <${Pairs} pairs=${[
    ["function", invocation.function],
    ["cause", invocation.cause],
    ["queued", html`<${Time} at=${invocation.queuedAt} withDate />`],
    ["waited", duration(invocation.waitedMs)],
    ["took", `${duration(invocation.tookMs)}${invocation.coldStart ? ", cold start" : ""}`],
    ["after the response", duration(invocation.afterResponseMs)],
    ["id", html`<code>${invocation.id}</code>`],
  ]} />`;

const Records = ({ records }) => html`
  <table>
    <thead><tr><th>Record</th><th class="n">Delivery</th><th>Outcome</th><th>Stages</th></tr></thead>
    <tbody>${records.map(({ recordId, deliveries, outcome, error, stages }) => html`
      <tr class=${error ? "bad" : ""}>
        <td><code>${recordId}</code></td><td class="n">${deliveries}</td>
        <td class="wide"><span class="mark"><${Shape} state=${{ processed: "passed", duplicate: "passed" }[outcome] ?? "refused"} />${words(outcome)}</span>
          ${error && html`<p class="complaint">${error}</p>`}</td>
        <td>${stages.map(([stage, ms]) => `${stage} ${duration(ms)}`).join(", ")}</td>
      </tr>`)}</tbody>
  </table>`;
