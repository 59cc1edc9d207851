// The map: functions, tables, queues, streams and schedules as the template connects them.

import { html, useMemo, useState } from "../../vendor/htm-preact.js";
import { useJson } from "../api.js";
import { count } from "../format.js";
import { Icon, Shape } from "../icons.js";
import { Empty, Head, Loaded } from "../parts.js";
import { go, link } from "../router.js";
import { filter } from "../requests/view.js";
import { curve, layout, narrowed, NODE } from "./layout.js";

const REFRESH_MS = 1_000;

export default function MapView() {
  const map = useJson("activity/map", { refreshMs: REFRESH_MS });
  const [text, setText] = useState("");
  return html`
    <${Head} title="Map" hint="as the template connects it, with live counts">
      <input type="search" placeholder="Narrow to…" aria-label="Narrow to" value=${text} onInput=${event => setText(event.target.value)} /><//>
    <${Loaded} of=${map}>${data => html`<${Picture} map=${data} text=${text} />`}<//>`;
}

function Picture({ map, text }) {
  const titles = new Map(map.nodes.map(({ id, title }) => [id, title]));
  const [focus, setFocus] = useState(null);
  // The places depend on the names only, so that new counts move nothing.
  const shape = `${text}\n${map.nodes.map(({ id }) => id).join()}\n${map.edges.length}`;
  const shown = useMemo(() => narrowed(map, text), [shape]);
  const places = useMemo(() => (shown.nodes.length === 0 ? null : layout(shown)), [shown]);
  if (places === null) return html`<${Empty}>Nothing has this name.<//>`;
  const counts = new Map(map.nodes.map(node => [node.id, node.counts]));
  const near = new Set(focus === null ? [] : [focus]);
  for (const { from, to } of shown.edges) if (from === focus || to === focus) near.add(from).add(to);
  const edges = shown.edges.filter(({ from, to }) => places.boxes.has(from) && places.boxes.has(to));
  return html`
    <div class="scroll map" tabindex="0" role="region" aria-label="Map">
      <div class=${focus === null ? "canvas" : "canvas focused"} style=${{ width: `${places.width}px`, height: `${places.height + 28}px` }}>
        ${places.columns.map(({ x, title }) => html`<h2 style=${{ transform: `translate(${x}px, 0)` }}>${title}</h2>`)}
        <div class="plane">
          <svg width=${places.width} height=${places.height} aria-hidden="true">
            ${edges.map(({ from, to }) => html`<path key=${`${from} ${to}`} class=${from === focus || to === focus ? "near" : ""}
              d=${curve(places.boxes.get(from), places.boxes.get(to))} />`)}</svg>
          <ul>${shown.nodes.map(node => html`<${Node} key=${node.id} node=${node} counts=${counts.get(node.id) ?? {}} box=${places.boxes.get(node.id)}
            isFar=${focus !== null && !near.has(node.id)} titles=${titles} edges=${node.id === focus ? edges.filter(({ from, to }) => from === focus || to === focus) : []} onFocus=${setFocus} />`)}</ul>
        </div>
      </div>
    </div>`;
}

/** Nearly all functions end with the word that their picture already shows. */
const labelOf = ({ kind, title }) => (kind === "function" ? title.replace(/(.)Function$/, "$1") : title);

/** Where a click leads. */
function targetOf({ title, kind }) {
  if (kind === "table") return link("tables", title);
  if (kind === "queue") return link("queues", title);
  return { schedule: "#/schedules", mail: "#/mails", standin: "#/standins" }[kind] ?? null;
}

function Node({ node, counts, box, isFar, edges, titles, onFocus }) {
  const open = () => {
    const target = targetOf(node);
    if (target !== null) go(target);
    else if (node.kind === "function") {
      filter.set(`function:${node.title}`);
      go(link("requests"));
    }
  };
  const labels = edges.map(({ from, to, label }) => (from === node.id ? `${label} → ${titles.get(to)}` : `${titles.get(from)} → ${label}`));
  return html`
    <li style=${{ transform: `translate(${box.x}px, ${box.y}px)`, width: `${NODE.width}px`, height: `${NODE.height}px` }}>
      <button class=${`node ${node.kind}${isFar ? " far" : ""}${counts.running > 0 ? " busy" : ""}`} title=${labels.join("\n") || node.title}
        onClick=${open} onMouseEnter=${() => onFocus(node.id)} onMouseLeave=${() => onFocus(null)} onFocus=${() => onFocus(node.id)} onBlur=${() => onFocus(null)}>
        <${Icon} name=${node.kind} /><span class="label">${labelOf(node)}</span><${Counts} counts=${counts} kind=${node.kind} /></button></li>`;
}

/** The numbers that matter for a kind: errors and dead letters first. */
function Counts({ counts, kind }) {
  const bad = (counts.errors ?? 0) + (counts.dead ?? 0);
  const main = { function: counts.invocations, table: counts.items, queue: (counts.waiting ?? 0) + (counts.inFlight ?? 0) }[kind]
    ?? Object.values(counts)[0];
  return html`
    <span class="numbers">
      ${counts.running > 0 && html`<${Shape} state="running" label="running" />`}
      ${bad > 0 && html`<span class="poor" title=${counts.dead > 0 ? "dead letters" : "errors"}><${Shape} state="refused" label=${counts.dead > 0 ? "dead letters" : "errors"} />${count(bad)}</span>`}
      ${main > 0 && html`<span>${count(main)}</span>`}</span>`;
}
