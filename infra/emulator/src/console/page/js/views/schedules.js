// The schedules: when each runs next, how it ended last, and running it now.

import { html } from "../../vendor/htm-preact.js";
import { call, path, useJson } from "../api.js";
import { count, words } from "../format.js";
import { Shape } from "../icons.js";
import { Empty, FromNow, Head, Loaded } from "../parts.js";
import { attempt, notify } from "../session.js";

const REFRESH_MS = 3_000;

export default function SchedulesView() {
  const all = useJson("activity/schedules", { refreshMs: REFRESH_MS });
  const run = name => attempt(async () => {
    await call("POST", path`schedules/${name}`);
    notify(`${name} has run`);
    all.reload();
  });
  return html`
    <${Head} title="Schedules" hint="by the platform's clock" />
    <div class="scroll" tabindex="0" role="region" aria-label="Schedules"><${Loaded} of=${all}>${({ schedules }) =>
      schedules.length === 0 ? html`<${Empty}>The template has no schedules.<//>` : html`<table>
        <thead><tr><th>Function</th><th>Schedule</th><th>Next run</th><th>Last run</th><th class="n">Runs</th><th>State</th><th><span class="sr">Run</span></th></tr></thead>
        <tbody>${schedules.map(schedule => html`<${Row} schedule=${schedule} run=${() => run(schedule.function)} />`)}</tbody></table>`}<//></div>`;
}

const SHAPES = { waiting: "waiting", running: "running", over: "passed", off: "notReached" };

const Row = ({ schedule: { name, expression, nextAt, last, count: runs, state, function: target }, run }) => html`
  <tr class=${last?.error ? "bad" : ""}>
    <td>${target}<br /><small>${name}</small></td>
    <td><code>${expression}</code></td>
    <td>${nextAt ? html`<${FromNow} at=${nextAt} />` : "–"}</td>
    <td>${last ? html`<${FromNow} at=${last.at} />` : "not yet"}${last?.error && html`<p class="complaint"><${Shape} state="refused" />${last.error}</p>`}</td>
    <td class="n">${count(runs)}</td>
    <td><span class="mark"><${Shape} state=${SHAPES[state] ?? "unknown"} />${words(state)}</span></td>
    <td class="n"><button onClick=${run} aria-label=${`Run now: ${target}`}>Run now</button></td>
  </tr>`;
