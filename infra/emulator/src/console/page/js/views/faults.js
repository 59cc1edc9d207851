// Faults: a form for all that can be injected, and the same as JSON.

import { html, useEffect, useState } from "../../vendor/htm-preact.js";
import { call, useJson } from "../api.js";
import { NextFault } from "../detail/next_fault.js";
import { active, cleaned } from "../faults.js";
import { Shape } from "../icons.js";
import { pretty } from "../highlight.js";
import { Head, Loaded } from "../parts.js";
import { attempt, notify } from "../session.js";
import { FaultForm } from "./fault_form.js";

export default function FaultsView() {
  const faults = useJson("faults");
  const map = useJson("activity/map");
  return html`<${Loaded} of=${faults}>${data => html`<${Editor} faults=${data} nodes=${map.data?.nodes ?? []} reload=${faults.reload} />`}<//>`;
}

function Editor({ faults, nodes, reload }) {
  const [draft, setDraft] = useState(faults);
  const [raw, setRaw] = useState(null);
  useEffect(() => {
    setDraft(faults);
    setRaw(null);
  }, [faults]);
  const isChanged = raw !== null || pretty(cleaned(draft)) !== pretty(cleaned(faults));
  const apply = event => {
    event?.preventDefault();
    return attempt(async () => {
      await call("PUT", "faults", raw ?? cleaned(draft));
      notify("The faults are set");
      await reload();
    });
  };
  const clear = () => attempt(async () => {
    await call("DELETE", "faults");
    notify("All faults are cleared");
    await reload();
  });
  const set = active(faults);
  return html`
    <${Head} title="Faults" hint=${set.length === 0 ? "none is set" : ""}>
      <div class="switch" role="group" aria-label="Form or JSON">
        <button aria-pressed=${String(raw === null)} onClick=${() => setRaw(null)}>Form</button>
        <button aria-pressed=${String(raw !== null)} onClick=${() => setRaw(pretty(cleaned(draft)))}>JSON</button></div>
      <button onClick=${clear}>Clear all</button>
      <button class="primary" disabled=${!isChanged} onClick=${apply}>Set</button><//>
    <div class="scroll" tabindex="0" role="region" aria-label="Faults">
      <${NextFault} />
      ${set.length > 0 && html`<ul class="tags set">${set.map(text => html`<li><${Shape} state="interrupted" />${text}</li>`)}</ul>`}
      ${raw === null
        ? html`<${FaultForm} draft=${draft} nodes=${nodes} onChange=${setDraft} onSubmit=${apply} />`
        : html`<form onSubmit=${apply}><label>The body of <code>PUT /faults</code>
            <textarea class="mono" rows="26" spellcheck=${false} value=${raw} onInput=${event => setRaw(event.target.value)} /></label></form>`}
    </div>`;
}
