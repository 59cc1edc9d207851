// The form of the faults, by the shape in `faults.js`.

import { html, useState } from "../../vendor/htm-preact.js";
import { GROUPS, none, percent, SINGLE } from "../faults.js";
import { pretty } from "../highlight.js";
import { Icon } from "../icons.js";

/** The name for every resource of a kind. */
const EVERY = "*";

/** @param {{draft: any, nodes: import("../types.js").MapNode[], onChange: (draft: any) => void, onSubmit: (event: Event) => void}} properties */
export function FaultForm({ draft, nodes, onChange, onSubmit }) {
  const namesOf = kind => nodes.filter(node => node.kind === kind).map(({ title }) => title);
  const set = (name, value) => onChange({ ...draft, [name]: value });
  return html`
    <form class="faultform" onSubmit=${onSubmit}>
      ${GROUPS.map(([group, title, kind, members]) => html`<${Group} key=${group} title=${title} names=${namesOf(kind)} members=${members}
        faults=${draft[group] ?? {}} onChange=${value => set(group, value)} />`)}
      <div class="singles">
        ${SINGLE.map(([name, title, members]) => html`<fieldset key=${name}><legend>${title}</legend><div class="fieldrow">${members.map(member => html`
          <${Value} member=${member} hasLabel value=${draft[name]?.[member[0]] ?? 0} onChange=${value => set(name, { ...draft[name], [member[0]]: value })} />`)}</div></fieldset>`)}
        <fieldset><legend>Everything</legend><div class="fieldrow">
          <label class="check"><input type="checkbox" checked=${draft.coldStarts} onChange=${event => set("coldStarts", event.target.checked)} />Each invocation is a cold start</label>
          <label>Seed<input type="number" min="0" step="1" value=${draft.seed ?? 0} onInput=${event => set("seed", Number(event.target.value))} /></label></div></fieldset>
        <fieldset><legend>Torn commits</legend><p class="muted">Writes to these tables are dropped from transactions. A check of the data must notice it.</p>
          <${Names} chosen=${draft.torn ?? []} names=${namesOf("table")} onChange=${names => set("torn", names)} /></fieldset>
      </div>
      ${Object.entries(draft.standins ?? {}).map(([name, faults]) => html`<${Standin} key=${name} name=${name} faults=${faults}
        onChange=${value => set("standins", { ...draft.standins, [name]: value })} />`)}
      <button class="sr" tabindex="-1">Set</button>
    </form>`;
}

function Group({ title, names, members, faults, onChange }) {
  const free = [EVERY, ...names].filter(name => !(name in faults));
  const rows = Object.entries(faults);
  const without = name => Object.fromEntries(rows.filter(([other]) => other !== name));
  return html`
    <fieldset><legend>${title}</legend>
      ${rows.length > 0 && html`<table>
        <thead><tr><th>Name</th>${members.map(([name, label]) => html`<th key=${name}>${label}</th>`)}<th><span class="sr">Remove</span></th></tr></thead>
        <tbody>${rows.map(([name, fault]) => html`<tr key=${name}><td>${name === EVERY ? "all" : name}</td>
          ${members.map(member => html`<td><${Value} member=${member} of=${name} value=${fault[member[0]] ?? 0}
            onChange=${value => onChange({ ...faults, [name]: { ...fault, [member[0]]: value } })} /></td>`)}
          <td class="n"><button type="button" class="quiet" aria-label=${`Remove ${name}`} onClick=${() => onChange(without(name))}><${Icon} name="close" /></button></td></tr>`)}</tbody></table>`}
      <${Add} label=${`Add to ${title}`} names=${free} onAdd=${name => onChange({ ...faults, [name]: none(members) })} />
    </fieldset>`;
}

const Add = ({ label, names, onAdd }) => html`
  <select class="add" aria-label=${label} value="" onChange=${event => {
    if (event.target.value !== "") onAdd(event.target.value);
    event.target.value = "";
  }}><option value="">Add…</option>${names.map(name => html`<option key=${name} value=${name}>${name === EVERY ? "all of them" : name}</option>`)}</select>`;

/** A rate in percent, or milliseconds. */
function Value({ member: [, label, unit], of, value, onChange, hasLabel }) {
  const isRate = unit === "rate";
  const input = html`<span class="value"><input type="number" min="0" max=${isRate ? 100 : 60000} step=${isRate ? "any" : 1}
    aria-label=${hasLabel ? null : `${of}: ${label}, ${isRate ? "percent" : "milliseconds"}`}
    value=${isRate ? percent(value) : value} onInput=${event => onChange(isRate ? Number(event.target.value) / 100 : Number(event.target.value))} />
    <small>${isRate ? "%" : "ms"}</small></span>`;
  return hasLabel ? html`<label>${label}${input}</label>` : input;
}

const Names = ({ chosen, names, onChange }) => html`
  <ul class="tags">${chosen.map(name => html`<li key=${name}>${name}<button type="button" class="quiet" aria-label=${`Remove ${name}`}
    onClick=${() => onChange(chosen.filter(other => other !== name))}><${Icon} name="close" /></button></li>`)}
    <li><${Add} label="Add a table" names=${names.filter(name => !chosen.includes(name))} onAdd=${name => onChange([...chosen, name])} /></li></ul>`;

/** Each stand-in has its own type of faults, so they are edited as JSON. */
function Standin({ name, faults, onChange }) {
  const [text, setText] = useState(() => pretty(faults));
  const [problem, setProblem] = useState(null);
  const change = event => {
    setText(event.target.value);
    try {
      onChange(JSON.parse(event.target.value));
      setProblem(null);
    } catch (error) {
      setProblem(error.message);
    }
  };
  return html`
    <fieldset><legend>Stand-in ${name}</legend>
      <textarea class="mono" rows=${Math.min(14, text.split("\n").length + 1)} spellcheck=${false} aria-label=${`Faults of the stand-in ${name}`} value=${text} onInput=${change} />
      ${problem && html`<p class="complaint" role="alert">${problem}</p>`}</fieldset>`;
}
