// The calls to services, as bars in time.

import { html, useState } from "../../vendor/htm-preact.js";
import { Code } from "../code.js";
import { duration } from "../format.js";
import { Shape } from "../icons.js";
import { pretty } from "../highlight.js";

/** @param {{request: {calls: import("../types.js").CallView[], invocation: ?import("../types.js").InvocationView}}} properties */
export function Calls({ request: { calls, invocation } }) {
  const [open, setOpen] = useState(null);
  const answeredMs = invocation?.tookMs ?? null;
  const end = Math.max(1, answeredMs ?? 0, ...calls.map(({ atMs, tookMs }) => atMs + (tookMs ?? 0)));
  const percent = ms => `${(100 * ms) / end}%`;
  return html`
    <table class="waterfall">
      <thead><tr><th>Call</th><th>Resources</th><th class="n">Status</th><th class="track"><span>0</span><span>${duration(end)}</span></th><th class="n">Took</th></tr></thead>
      <tbody>${calls.map((call, place) => html`
        <tr class=${call.status >= 400 ? "bad" : ""}>
          <td><button class="link" aria-expanded=${String(open === place)} onClick=${() => setOpen(open === place ? null : place)}>
            <small>${call.service}</small> ${call.operation}</button></td>
          <td>${call.resources.join(", ")}${call.fault && html` <em class="fault" title="An injected fault">${call.fault}</em>`}</td>
          <td class="n">${call.status}</td>
          <td class="track">
            ${answeredMs !== null && html`<i class="answered" style=${{ left: percent(answeredMs) }} title="The response" />`}
            <i class=${call.deferred ? "bar deferred" : "bar"} style=${{ left: percent(call.atMs), width: `max(2px, ${percent(call.tookMs ?? end - call.atMs)})` }} /></td>
          <td class="n">${duration(call.tookMs)}</td>
        </tr>
        ${call.error && html`<tr class="bad"><td colspan="5"><p class="complaint"><${Shape} state="refused" />${call.error}</p></td></tr>`}
        ${open === place && html`<tr class="opened"><td colspan="5"><div class="columns">
          <div><h3>Request</h3><${Code} text=${pretty(call.request)} label="Request of the call" /></div>
          <div><h3>Response</h3><${Code} text=${pretty(call.response)} label="Response of the call" /></div></div></td></tr>`}`)}</tbody>
    </table>
    ${calls.some(({ deferred }) => deferred) && html`<p class="muted legend"><i class="bar deferred" /> after the response</p>`}`;
}
