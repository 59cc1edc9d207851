// The stand-ins for third-party services: their state and their latest requests.

import { html } from "../../vendor/htm-preact.js";
import { useJson } from "../api.js";
import { Code } from "../code.js";
import { plural } from "../format.js";
import { Shape } from "../icons.js";
import { pretty } from "../highlight.js";
import { Empty, Head, Loaded } from "../parts.js";

const REFRESH_MS = 2_000;
const SHOWN = 50;

export default function StandinsView() {
  const all = useJson("activity/standins", { refreshMs: REFRESH_MS });
  return html`
    <${Head} title="Stand-ins" hint="for third-party services"><a class="button" href="#/faults">Set faults</a><//>
    <div class="scroll" tabindex="0" role="region" aria-label="Stand-ins"><${Loaded} of=${all}>${({ standins }) =>
      standins.length === 0 ? html`<${Empty}>The application has no stand-ins.<//>` : standins.map(standin => html`<${Standin} standin=${standin} />`)}<//></div>`;
}

const SHAPES = { up: "passed", faulty: "interrupted", down: "refused" };
const WORDS = { up: "up", faulty: "with faults", down: "down" };

function Standin({ standin: { name, state, faults, counts, requests } }) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return html`
    <section class="block">
      <h2>${name} <span class="mark"><${Shape} state=${SHAPES[state] ?? "unknown"} />${WORDS[state] ?? state}</span><small>${plural(total, "request")}</small></h2>
      ${state !== "up" && html`<details><summary>Faults</summary><${Code} text=${pretty(faults)} label=${`Faults of ${name}`} /></details>`}
      ${requests.length === 0 ? html`<p class="muted">No requests yet.</p>` : html`<ol class="requestlist">${requests.slice(0, SHOWN).map(request => html`
        <li><details><summary><code>${request.method} ${request.path}${request.query ? `?${request.query}` : ""}</code></summary>
          <${Code} text=${pretty(request)} label=${`Request to ${name}`} /></details></li>`)}</ol>`}
      ${total > SHOWN && html`<p class="muted">The latest ${SHOWN}, newest first.</p>`}
    </section>`;
}
