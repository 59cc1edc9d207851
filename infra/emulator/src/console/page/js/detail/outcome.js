// The answer, the work after it, and the log lines.

import { html } from "../../vendor/htm-preact.js";
import { Code } from "../code.js";
import { bytes, duration } from "../format.js";
import { Shape } from "../icons.js";
import { pretty } from "../highlight.js";
import { Pairs, Status, Time } from "../parts.js";

/** @typedef {{request: import("../types.js").RequestDetail}} Properties */

/** @param {Properties} properties */
export function Answer({ request }) {
  const { status, headers, body, bodyBytes, by } = request.answer;
  return html`
    <p class="answerline"><${Status} status=${status} /><span class="muted">by the ${by} · ${bytes(bodyBytes)}</span></p>
    ${body !== null && html`<${Code} text=${body} label="Body of the answer" />`}
    <details><summary>Headers<small>${headers.length}</small></summary><${Pairs} pairs=${headers} /></details>`;
}

/** @param {Properties} properties */
export const Deferred = ({ request }) => html`
  <table>
    <thead><tr><th>After the response</th><th>Result</th><th class="n">Took</th></tr></thead>
    <tbody>${request.deferred.map(({ what, failed, tookMs }) => html`
      <tr class=${failed === null ? "" : "bad"}>
        <td>${what}</td>
        <td class="wide"><span class="mark ${failed === null ? "good" : "poor"}"><${Shape} state=${failed !== null ? "refused" : tookMs === null ? "running" : "passed"} />
          ${failed ?? (tookMs === null ? "running" : "done")}</span></td>
        <td class="n">${duration(tookMs)}</td>
      </tr>`)}</tbody>
  </table>`;

/** @param {Properties} properties */
export const Logs = ({ request }) => html`<${LogLines} logs=${request.logs} />`;

/** @param {{logs: import("../types.js").LogView[]}} properties */
export const LogLines = ({ logs }) => html`
  <ol class="logs">${logs.map(({ at, level, message, fields }) => html`
    <li class=${level.toLowerCase()}>
      <details><summary><${Time} at=${at} /><b>${level.toLowerCase()}</b><span>${message}</span></summary>
        <${Code} text=${pretty(fields)} label="Fields of the line" /></details>
    </li>`)}</ol>`;
