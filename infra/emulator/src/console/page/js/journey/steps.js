// The journey as a list, for screen readers and for exact times.

import { html } from "../../vendor/htm-preact.js";
import { duration, timeOfDay } from "../format.js";
import { Icon, Shape } from "../icons.js";
import { kindOf, nextTry } from "./card.js";
import { asTree } from "./layout.js";

export const Steps = ({ journey, start, onOpen }) => html`
  <section class="steps" aria-label="Steps of the journey">
    <h2>Steps</h2>
    <table>
      <thead><tr><th class="n">After</th><th>Step</th><th>State</th><th class="n">Waited</th><th class="n">Worked</th><th>Deliveries</th></tr></thead>
      <tbody>${asTree(journey).map(({ node, depth }) => html`
        <tr key=${node.id} class=${node.state === "failed" ? "bad" : ""}>
          <td class="n">${duration(new Date(node.at).getTime() - start)}</td>
          <td class="wide"><span class="step" style=${{ "--depth": Math.min(depth, 12) }}><${Icon} name=${node.kind} />
            ${node.link === null ? html`<b>${node.title}</b>` : html`<button class="link" onClick=${() => onOpen(node)}>${node.title}</button>`}
            <span class="muted">${kindOf(node)}${node.compensates ? ", compensation" : ""}${node.subtitle && ` · ${node.subtitle}`}</span></span>
            ${node.error && html`<p class="complaint"><${Shape} state="refused" />${node.error}</p>`}</td>
          <td><span class="mark"><${Shape} state=${node.state} />${node.state}</span>${nextTry(node) && html`<br />${nextTry(node)}`}</td>
          <td class="n">${duration(node.waitedMs)}</td>
          <td class="n">${duration(node.workedMs)}</td>
          <td>${node.deliveries.map(({ at, succeeded, error }, place) => html`
            <span class="mark" title=${error}><${Shape} state=${succeeded === null ? "running" : succeeded ? "passed" : "refused"} />
              ${place + 1} <span class="sr">${succeeded === null ? "running" : succeeded ? "succeeded" : "failed"}</span><small>${timeOfDay(at)}</small></span> `)}</td>
        </tr>`)}</tbody>
    </table>
  </section>`;
