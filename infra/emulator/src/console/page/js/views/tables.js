// The tables, their items, and the writes to an item.

import { html, useEffect, useRef, useState } from "../../vendor/htm-preact.js";
import { get, path, useJson } from "../api.js";
import { Code } from "../code.js";
import { Mark } from "../detail/decisions.js";
import { count, words } from "../format.js";
import { pretty } from "../highlight.js";
import { useKeys } from "../keys.js";
import { Empty, Head, Loaded, Time } from "../parts.js";
import { link } from "../router.js";
import { attempt } from "../session.js";

const LIMIT = 50;
/** Members of the items that are shown as columns, after the keys. */
const COLUMNS_MAX = 6;

export default function TablesView({ parts: [name] }) {
  const all = useJson("activity/tables");
  return html`<div class="master">
    <${Loaded} of=${all}>${({ tables }) => html`
      <nav class="names" aria-label="Tables">${tables.map(table => html`
        <a href=${link("tables", table.name)} aria-current=${table.name === name ? "page" : null}>
          <span>${table.name}</span><small>${count(table.items)}</small></a>`)}</nav>
      <${Chosen} key=${name} table=${tables.find(table => table.name === name)} />`}
    <//>
  </div>`;
}

function Chosen({ table }) {
  if (table === undefined) return html`<section class="chosen" aria-label="Items"><${Head} title="Tables" /><${Empty}>Choose a table.<//></section>`;
  return html`<${Items} table=${table} />`;
}

/** The names of the key's attributes. */
const keysOf = ({ key }) => [key.partition.name, ...(key.sort ? [key.sort.name] : [])];

function Items({ table }) {
  const [wanted, setWanted] = useState({ pk: "", sk: "", text: "" });
  const [query, setQuery] = useState(`limit=${LIMIT}`);
  const [more, setMore] = useState({ items: [], next: null });
  const [open, setOpen] = useState(null);
  const address = path`activity/tables/${table.name}/items`;
  const page = useJson(`${address}?${query}`);
  useEffect(() => setMore({ items: [], next: page.data?.next ?? null }), [page.data]);
  useKeys(2, { Escape: () => (open === null ? false : setOpen(null)) });
  const search = event => {
    event.preventDefault();
    const given = Object.entries(wanted).filter(([, value]) => value !== "");
    setQuery(new URLSearchParams([...given, ["limit", LIMIT]]).toString());
  };
  const shown = useRef(null);
  shown.current = page.data;
  const next = () => attempt(async () => {
    const following = await get(`${address}?${query}&after=${encodeURIComponent(more.next)}`);
    // Another search, or a newer first page, may be shown meanwhile.
    if (shown.current === page.data) setMore({ items: [...more.items, ...following.items], next: following.next });
  });
  const field = (name, label) => html`<label>${label}<input class="mono" value=${wanted[name]} onInput=${event => setWanted({ ...wanted, [name]: event.target.value })} /></label>`;
  const [partition, sort] = keysOf(table);
  return html`
    <section class="chosen" aria-label=${table.name}>
      <${Head} title=${table.name} hint=${`key ${keysOf(table).join(", ")}${table.indexes.length > 0 ? `; indexes ${table.indexes.map(index => index.name).join(", ")}` : ""}`}>
        <button onClick=${page.reload}>Refresh</button><//>
      <form class="fieldrow query" onSubmit=${search}>${field("pk", `${partition} begins with`)}${sort && field("sk", `${sort} begins with`)}${field("text", "has the text")}<button>Search</button></form>
      <${Loaded} of=${page}>${({ items }) => html`
        <div class=${open === null ? "halves" : "halves open"}>
          <div class="scroll" tabindex="0" role="region" aria-label="Items">
            <${Grid} items=${[...items, ...more.items]} keys=${keysOf(table)} open=${open} onOpen=${setOpen} />
            ${more.next !== null && html`<button onClick=${next}>More</button>`}</div>
          ${open !== null && html`<${Item} table=${table} item=${open} onClose=${() => setOpen(null)} />`}
        </div>`}<//>
    </section>`;
}

function Grid({ items, keys, open, onOpen }) {
  if (items.length === 0) return html`<${Empty}>No items.<//>`;
  const others = [...new Set(items.slice(0, LIMIT).flatMap(Object.keys))].filter(name => !keys.includes(name)).slice(0, COLUMNS_MAX);
  const columns = [...keys, ...others];
  return html`
    <table class="grid">
      <thead><tr>${columns.map(name => html`<th>${name}</th>`)}</tr></thead>
      <tbody>${items.map(item => html`
        <tr class=${item === open ? "selected" : ""} onClick=${() => onOpen(item)}>${columns.map((name, place) => html`
          <td>${place === 0 ? html`<button class="link" onClick=${() => onOpen(item)}>${cell(item[name])}</button>` : cell(item[name])}</td>`)}</tr>`)}</tbody>
    </table>`;
}

const cell = value => (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));

function Item({ table, item, onClose }) {
  const [partition, sort] = keysOf(table);
  const key = new URLSearchParams({ pk: cell(item[partition]), ...(sort ? { sk: cell(item[sort]) } : {}) });
  const history = useJson(`${path`activity/tables/${table.name}/history`}?${key}`);
  return html`
    <aside class="scroll" aria-label="Item" tabindex="0">
      <header class="asidehead"><h2>Item</h2><button class="quiet" onClick=${onClose}>Close</button></header>
      <${Code} text=${pretty(item)} label="Item" />
      <h3>Writes in memory</h3>
      <${Loaded} of=${history}>${({ writes }) => writes.length === 0 ? html`<${Empty}>None; older writes are not kept.<//>` : html`
        <ol class="history">${writes.toReversed().map(write => html`<${Write} write=${write} />`)}</ol>`}<//>
    </aside>`;
}

const Write = ({ write: { at, function: name, request, invocation, outcome, write } }) => html`
  <li><p><${Time} at=${at} /> <b>${write.action}</b> by <a href=${request === null ? link("invocations", invocation) : link("requests", request)}>${name}</a></p>
    <p>${write.condition && html`<code>${write.condition}</code> `}<${Mark} isGood=${outcome === "committed"} yes=${words(outcome)} no=${words(outcome)} /></p>
    <details><summary>Content</summary><${Code} text=${pretty(write.content)} label="Content of the write" /></details></li>`;
