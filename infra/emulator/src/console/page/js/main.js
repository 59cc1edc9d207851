// The page: navigation at the left, the view that the address names, and messages.

import { html, render, useEffect, useState } from "../vendor/htm-preact.js";
import { followClock } from "./clock.js";
import { useDeadLetters } from "./dead_letters.js";
import { NextFaultLine, nextFault, readNextFault } from "./detail/next_fault.js";
import { count, plural } from "./format.js";
import { HELP, useKeys } from "./keys.js";
import { connect, connection } from "./live.js";
import { GROUPS, Nav } from "./nav.js";
import { Dialog, Problem } from "./parts.js";
import { RequestsView } from "./requests/view.js";
import { go, link, route } from "./router.js";
import { Announcer } from "./announcer.js";
import { notice } from "./session.js";
import { useStore } from "./store.js";

/** Views other than the requests are loaded when they are opened first. */
const VIEWS = {
  map: () => import("./map/view.js"),
  charts: () => import("./views/charts.js"),
  tables: () => import("./views/tables.js"),
  queues: () => import("./views/queues.js"),
  mails: () => import("./views/mails.js"),
  schedules: () => import("./views/schedules.js"),
  caches: () => import("./views/caches.js"),
  standins: () => import("./views/standins.js"),
  faults: () => import("./views/faults.js"),
  clock: () => import("./views/clock.js"),
  docs: () => import("./views/docs.js"),
  invocations: () => import("./views/invocation.js"),
  messages: () => import("./views/message.js"),
};

const TITLES = Object.fromEntries(GROUPS.flat().map(([name, title]) => [name, title]));
const GO_KEYS = Object.fromEntries(GROUPS.flat().map(([name, , key]) => [`g ${key}`, () => go(link(name))]));

function App() {
  const { view, parts, query } = useStore(route);
  const [isHelp, setHelp] = useState(false);
  const fault = useStore(nextFault);
  const dead = useDeadLetters();
  const marks = { faults: fault === null ? null : ["1", " next"], queues: dead === 0 ? null : [count(dead), " dead"] };
  useKeys(0, { ...GO_KEYS, "?": () => setHelp(true) });
  useEffect(() => { document.title = `${TITLES[view] ?? "Console"} · Console`; }, [view]);
  return html`
    <a class="skip" href="#main" onClick=${event => { event.preventDefault(); document.getElementById("main").focus(); }}>Skip to the content</a>
    <${Nav} view=${view} marks=${marks} onHelp=${() => setHelp(true)} />
    <main id="main" tabindex="-1">
      <${Lost} /><${NextFaultLine} />
      ${view === "requests"
        ? html`<${RequestsView} id=${parts[0] ?? null} tab=${parts[1] ?? null} />`
        : html`<${Other} view=${view} parts=${parts} query=${query} />`}
    </main>
    <${Notice} /><${Announcer} />
    ${isHelp && html`<${Help} onClose=${() => setHelp(false)} />`}`;
}

const NOT_LOADED = new Error("The view could not be loaded. Is the platform still running?");

/** A view of a module that may not be loaded yet. */
function Other({ view, parts, query }) {
  const [loaded, setLoaded] = useState({ view: null, View: null });
  useEffect(() => {
    if (!Object.hasOwn(VIEWS, view)) {
      go(link("requests"), { replace: true });
      return undefined;
    }
    // A module that comes late must not displace the view of a later address.
    let isHere = true;
    const show = View => isHere && setLoaded({ view, View });
    VIEWS[view]().then(module => show(module.default), error => {
      console.warn(error);
      show(null);
    });
    return () => { isHere = false; };
  }, [view]);
  if (loaded.view !== view) return html`<div class="loading" aria-busy="true"><i /><i /><i /></div>`;
  if (loaded.View === null) return html`<${Problem} error=${NOT_LOADED} retry=${() => location.reload()} />`;
  return html`<${loaded.View} parts=${parts} query=${query} />`;
}

function Lost() {
  if (useStore(connection) !== "lost") return null;
  return html`<div class="armed" role="status">The platform does not answer. The page connects again on its own when it runs.</div>`;
}

function Notice() {
  const shown = useStore(notice);
  return html`<div class="notices" role="status">${shown && html`
    <p class=${shown.failed ? "notice failed" : "notice"}>${shown.text}${shown.href && html` <a href=${shown.href}>Open</a>`}
      <button class="quiet" aria-label="Dismiss" onClick=${() => notice.set(null)}>×</button></p>`}</div>`;
}

const Help = ({ onClose }) => html`
  <${Dialog} title="Keys" onClose=${onClose}>
    <dl class="keys">${HELP.map(([keys, meaning]) => html`
      <div><dt>${keys.split(" ").map(key => (key === "then" || key === "…" ? ` ${key} ` : html`<kbd>${key}</kbd> `))}</dt><dd>${meaning}</dd></div>`)}</dl>
    <p class="muted">${plural(GROUPS.flat().length, "view")}, all reachable without a mouse.</p>
  <//>`;

render(html`<${App} />`, document.getElementById("app"));
connect();
followClock();
readNextFault();
