// The view of all requests: the list, and the open request to its right.

import { html, useEffect, useMemo, useRef, useState } from "../../vendor/htm-preact.js";
import { RequestView } from "../detail/view.js";
import { count } from "../format.js";
import { Icon } from "../icons.js";
import { useKeys } from "../keys.js";
import { changes, connection, missed, rows } from "../live.js";
import { Empty } from "../parts.js";
import { go, link } from "../router.js";
import { client } from "../session.js";
import { createStore, useStore } from "../store.js";
import { contains, filterOf, term, TERMS, toggled } from "./filter.js";
import { RequestList } from "./list.js";
import { Sparkline } from "./sparkline.js";

/** Outlives the view, so that a look at another one does not lose the filter. */
export const filter = createStore("");
const paused = createStore(null);

const MINE = term("client", client);
const CHIPS = [["2xx", "status:2xx"], ["4xx", "status:4xx"], ["5xx", "status:5xx"], ["Only mine", MINE]];

/** Draws again at most once a frame while rows arrive. */
function useRows() {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    let frame = null;
    const draw = () => {
      frame = null;
      setVersion(version => version + 1);
    };
    const end = changes.subscribe(() => { frame ??= requestAnimationFrame(draw); });
    return () => {
      end();
      cancelAnimationFrame(frame);
    };
  }, []);
  return version;
}

const follow = name => filter.set(term("client", name));

/** @param {{id: ?string, tab: ?string}} properties */
export function RequestsView({ id, tab }) {
  const classes = `requests${id === null ? "" : " split"}${tab === "journey" ? " journey-open" : ""}`;
  return html`
    <div class=${classes}>
      <${Browse} id=${id} isJourney=${tab === "journey"} />
      ${id !== null && html`<${RequestView} key=${id} id=${id} tab=${tab} follow=${follow} />`}
    </div>`;
}

/** The list with its filter. Only this part is drawn again while rows arrive. */
function Browse({ id, isJourney }) {
  const text = useStore(filter);
  const frozen = useStore(paused);
  const version = useRows();
  const list = useRef(null);
  const input = useRef(null);
  const [cursor, setCursor] = useState(id);
  useMemo(() => rows.filter(filterOf(text)), [text]);
  useEffect(() => {
    if (id !== null) setCursor(id);
  }, [id]);

  const shown = frozen ?? rows.shown;
  const open = row => go(link("requests", row.id));
  const select = row => {
    setCursor(row.id);
    // With a request open, the detail follows the list, without an entry in the history for each.
    if (id !== null) go(link("requests", row.id), { replace: true });
  };
  const pause = () => paused.set(frozen === null ? rows.shown.slice() : null);
  const change = next => {
    filter.set(next);
    paused.set(null);
    list.current?.toNewest();
  };
  useKeys(1, {
    j: () => list.current?.move(1),
    k: () => list.current?.move(-1),
    "/": () => input.current?.focus(),
    p: pause,
    m: () => change(toggled(text, MINE)),
    Enter: () => {
      if (cursor === null) return false;
      if (id === null) open({ id: cursor });
      else if (isJourney) return false;
      else go(link("requests", id, "journey"));
    },
    Escape: () => {
      if (document.activeElement === input.current) input.current.blur();
      else if (isJourney) go(link("requests", id));
      else if (id !== null) go(link("requests"));
      else return false;
    },
  });
  return html`
    <section class="browse" aria-label="All requests">
      ${id === null && html`<h1 class="sr">Requests</h1>`}
      <div class="toolbar">
        <${FilterInput} input=${input} text=${text} onChange=${change} />
        <button class=${frozen === null ? "" : "on"} aria-pressed=${String(frozen !== null)} title="Pause (p)" onClick=${pause}>
          <${Icon} name=${frozen === null ? "pause" : "play"} />${frozen === null ? "Pause" : "Go on"}</button>
        <${Sparkline} />
        <div class="chips" role="group" aria-label="Filters">
          ${CHIPS.map(([label, term]) => html`
            <button class="chip" aria-pressed=${String(contains(text, term))} onClick=${() => change(toggled(text, term))}>${label}</button>`)}
          <${Tally} shown=${shown.length} frozen=${frozen} />
        </div>
      </div>
      ${shown.length === 0
        ? html`<${Nothing} text=${text} clear=${() => change("")} />`
        : html`<${RequestList} ref=${list} rows=${shown} version=${frozen === null ? version : -1} selected=${id ?? cursor}
            onSelect=${select} onOpen=${open} />`}
    </section>`;
}

const FilterInput = ({ input, text, onChange }) => html`
  <label class="filter"><span class="sr">Filter</span>
    <input ref=${input} type="search" value=${text} spellcheck=${false} autocomplete="off" list="terms"
      placeholder="Filter: orders status:4xx stage:rules -is:replay ms>100" title="Filter (/)"
      onInput=${event => onChange(event.target.value)} />
    <datalist id="terms">${TERMS.map(name => html`<option value=${name.includes(":") ? name : `${name}:`} />`)}</datalist>
    <kbd aria-hidden="true">/</kbd>
  </label>`;

function Tally({ shown, frozen }) {
  const left = useStore(missed);
  const more = frozen === null ? 0 : rows.shown.length - frozen.length;
  return html`
    <span class="tally">${count(shown)}${shown === rows.all.length ? "" : ` of ${count(rows.all.length)}`}
      ${more > 0 && html` · <b>${count(more)} new</b>`}
      ${left > 0 && html` · <span title="The page was too slow for the stream">${count(left)} left out</span>`}</span>`;
}

function Nothing({ text, clear }) {
  const state = useStore(connection);
  if (text !== "" && rows.all.length > 0) {
    return html`<${Empty}>No request matches. <button onClick=${clear}>Clear the filter</button><//>`;
  }
  if (state === "connecting") return html`<div class="loading" aria-busy="true"><i /><i /><i /></div>`;
  return html`<${Empty}>No requests yet. Each request to the API appears here when it arrives.<br />
    <a href="#/docs">Send one from the documentation</a>, or by any client.<//>`;
}
