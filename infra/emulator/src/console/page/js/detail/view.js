// One request: its nine boxes, and below them every fact about it in the order of the stages.

import { html, useEffect, useRef } from "../../vendor/htm-preact.js";
import { path, useJson } from "../api.js";
import { count, duration, plural } from "../format.js";
import { Icon } from "../icons.js";
import { JourneyView } from "../journey/view.js";
import { useKeys } from "../keys.js";
import { onJourney, onRow } from "../live.js";
import { Copy, Loaded, Status, Time } from "../parts.js";
import { link } from "../router.js";
import { Actions } from "./actions.js";
import { Calls } from "./calls.js";
import { Commit } from "./commit.js";
import { Caches, Facts, Permissions, Verdicts } from "./decisions.js";
import { Input } from "./input.js";
import { Answer, Deferred, Logs } from "./outcome.js";
import { scrollTo } from "./scroll.js";
import { Stages } from "./stages.js";

/** The least time between two reads of a request that changes. */
const READ_MS = 250;

/** @param {{id: string, tab: ?string, follow: (client: string) => void}} properties */
export function RequestView({ id, tab, follow }) {
  const request = useJson(path`activity/requests/${id}`);
  useChanges(id, request.reload);
  return html`
    <article class="request" aria-label="Request">
      <${Loaded} of=${request}>${detail => html`
        <${Heading} request=${detail} follow=${follow} />
        <nav class="tabs" aria-label="Parts of the request">
          <a href=${link("requests", id)} aria-current=${tab === "journey" ? null : "page"}>Stages</a>
          <a href=${link("requests", id, "journey")} aria-current=${tab === "journey" ? "page" : null}>Journey</a>
          ${tab !== "journey" && html`<${Contents} request=${detail} />`}
        </nav>
        ${tab === "journey"
          ? html`<${JourneyView} path=${path`activity/requests/${id}/journey`} id=${id} />`
          : html`<${Parts} request=${detail} />`}`}
      <//>
    </article>`;
}

/** Reads again when the row or the journey changes, at most every `READ_MS`. */
function useChanges(id, reload) {
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => {
    let timer = null;
    const changed = () => {
      timer ??= setTimeout(() => {
        timer = null;
        latest.current();
      }, READ_MS);
    };
    const ends = [onRow(id, changed), onJourney(id, changed)];
    return () => {
      clearTimeout(timer);
      for (const end of ends) end();
    };
  }, [id]);
}

function Heading({ request, follow }) {
  const { method, path: target, route, status, code, tookMs, attempts } = request;
  const facts = [
    ["at", html`<${Time} at=${request.at} withDate />`],
    ["took", duration(tookMs)],
    ["route", route ?? "none"],
    ["function", request.function ?? "none"],
    ["caller", request.caller ?? "unknown"],
    ["client", html`<button class="link" title="Show only requests of this client" onClick=${() => follow(request.client)}>${request.client}</button>`],
    ["request id", html`<code>${request.requestId ?? request.id}</code><${Copy} text=${request.requestId ?? request.id} label="Copy the request id" />`],
  ];
  return html`
    <header class="heading">
      <div class="title">
        <a class="button quiet" href="#/requests" aria-label="Close the request" title="Close (Escape)"><${Icon} name="back" /></a>
        <h1><span class="method">${method}</span> <span class="path">${target}</span></h1>
        <${Status} status=${status} />${code && html`<code class="errorcode">${code}</code>`}
        ${request.coldStart && html`<em>cold start</em>`}${request.replayed && html`<em>replay</em>`}
        ${attempts > 1 && html`<em>${attempts} attempts</em>`}
        <${Actions} request=${request} />
      </div>
      <dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    </header>`;
}

/** The parts with something in them, for the links above and for the page below. */
function partsOf(request) {
  return [
    ["input", "Input", null, request.received.body !== null || request.input !== null || request.received.query.length > 0, Input],
    ["verdicts", "Verdicts", request.verdicts.length, request.verdicts.length > 0, Verdicts],
    ["facts", "Facts", request.facts.length, request.facts.length > 0, Facts],
    ["caches", "Caches", null, request.caches.length > 0, Caches],
    ["commit", "Commit", null, request.commit !== null, Commit],
    ["answer", "Answer", null, request.answer !== null, Answer],
    ["deferred", "Deferred", request.deferred.length, request.deferred.length > 0, Deferred],
    ["calls", "Calls", request.calls.length, request.calls.length > 0, Calls],
    ["permissions", "Permissions", request.permissions.length, request.permissions.length > 0, Permissions],
    ["logs", "Logs", request.logs.length, request.logs.length > 0, Logs],
  ].filter(([, , , isThere]) => isThere);
}

const Contents = ({ request }) => html`
  <div class="contents">${partsOf(request).map(([id, title, number]) => html`
    <button class="link" onClick=${() => scrollTo(id)}>${title}${number !== null && html`<small>${count(number)}</small>`}</button>`)}</div>`;

function Parts({ request }) {
  const body = useRef(null);
  useKeys(2, {
    " ": () => body.current.scrollBy({ top: body.current.clientHeight * 0.8 }),
  });
  return html`
    <div class="parts" ref=${body} tabindex="0" role="region" aria-label="Stages and facts">
      <${Stages} request=${request} />
      ${request.detailDropped && html`<p class="dropped">Older detail of this request, such as its bodies, was removed to bound the memory.</p>`}
      ${partsOf(request).map(([id, title, number, , Part]) => html`
        <section class="part" id=${`part-${id}`} aria-labelledby=${`title-${id}`}>
          <h2 id=${`title-${id}`}>${title}${number !== null && html`<small>${plural(number, NOUNS[id])}</small>`}</h2>
          <${Part} request=${request} />
        </section>`)}
    </div>`;
}

const NOUNS = { verdicts: "decision", facts: "read", deferred: "task", calls: "call", permissions: "action", logs: "line" };
