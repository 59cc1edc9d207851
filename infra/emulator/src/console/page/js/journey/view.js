// The journey of a request and of its effects, as one picture that grows while it happens.

import { html, useEffect, useMemo, useRef, useState } from "../../vendor/htm-preact.js";
import { useJson } from "../api.js";
import { everySecond } from "../clock.js";
import { duration } from "../format.js";
import { Shape } from "../icons.js";
import { InvocationDialog } from "./invocation.js";
import { onJourney } from "../live.js";
import { Empty, Loaded } from "../parts.js";
import { go, link } from "../router.js";
import { Card } from "./card.js";
import { CARD, Layout } from "./layout.js";
import { Steps } from "./steps.js";

/** The least time between two reads of a journey that grows. */
const READ_MS = 200;

/** @param {{path: string, id: string}} properties `id` is that of the request or invocation */
export function JourneyView({ path, id }) {
  const journey = useJson(path);
  const latest = useRef(journey.reload);
  latest.current = journey.reload;
  useEffect(() => {
    let timer = null;
    const end = onJourney(id, () => {
      timer ??= setTimeout(() => {
        timer = null;
        latest.current();
      }, READ_MS);
    });
    return () => {
      clearTimeout(timer);
      end();
    };
  }, [id]);
  return html`<${Loaded} of=${journey}>${data => html`<${Picture} key=${path} journey=${data} requestId=${id} />`}<//>`;
}

/** @param {{journey: import("../types.js").Journey, requestId: string}} properties */
function Picture({ journey, requestId }) {
  const layout = useMemo(() => new Layout(), []);
  const [invocation, setInvocation] = useState(null);
  const [, tick] = useState(0);
  useEffect(() => {
    if (journey.atRest) return undefined;
    return everySecond(() => tick(count => count + 1));
  }, [journey.atRest]);
  layout.update(journey);
  if (journey.nodes.length === 0) return html`<${Empty}>Nothing is recorded of this journey.<//>`;
  const start = Math.min(...journey.nodes.map(({ at }) => new Date(at).getTime()));
  const byId = new Map(journey.nodes.map(node => [node.id, node]));
  const edges = journey.edges.filter(({ from, to }) => byId.has(from) && byId.has(to));
  const open = node => {
    if (node.link === null) return;
    if (node.kind === "request") go(link("requests", node.link));
    else setInvocation(node.link);
  };
  return html`
    <div class="journey" role="region" aria-label="Journey" tabindex="0">
      <div class="journey-head">
        <${Rest} journey=${journey} start=${start} />
        <span class="legend"><i class="waited" /> waiting <i class="worked" /> working</span>
      </div>
      <div class="canvas" style=${{ width: `${layout.width}px`, height: `${layout.height}px` }}>
        <svg width=${layout.width} height=${layout.height} aria-hidden="true">
          ${edges.map(edge => html`<path key=${`${edge.from} ${edge.to}`} class=${byId.get(edge.to).state} d=${layout.line(edge)} />`)}
        </svg>
        ${edges.map(edge => html`<${EdgeLabel} key=${`label ${edge.from} ${edge.to}`} edge=${edge} box=${layout.box(edge.to)} />`)}
        ${journey.nodes.map(node => html`
          <${Card} key=${node.id} node=${node} box=${layout.box(node.id)} start=${start}
            isHere=${node.link === requestId} onOpen=${open} />`)}
      </div>
      ${journey.truncated && html`<p class="muted">More places exist; the picture is cut to stay legible.</p>`}
      <${Steps} journey=${journey} start=${start} onOpen=${open} />
      ${invocation !== null && html`<${InvocationDialog} id=${invocation} onClose=${() => setInvocation(null)} />`}
    </div>`;
}

const EdgeLabel = ({ edge, box }) => html`
  <span class="edge" aria-hidden="true" style=${{ transform: `translate(${box.x + CARD.width / 2 + 6}px, ${box.y - 18}px)` }}>${edge.label}</span>`;

function Rest({ journey, start }) {
  const ends = journey.nodes.flatMap(({ endedAt }) => (endedAt === null ? [] : [new Date(endedAt).getTime()]));
  const took = ends.length === 0 ? 0 : Math.max(...ends) - start;
  const number = state => journey.nodes.filter(node => node.state === state).length;
  const failed = number("failed");
  const open = [["waiting", number("waiting")], ["working", number("working")], ["retrying", number("retrying")]];
  const parts = open.filter(([, count]) => count > 0).map(([state, count]) => `${count} ${state}`);
  return html`
    <p class="rest" role="status">
      <${Shape} state=${journey.atRest ? (failed > 0 ? "refused" : "passed") : "running"} />
      ${journey.atRest ? `At rest after ${duration(took)}` : parts.join(", ") || "Under way"}${failed > 0 && `; ${failed} failed`}</p>`;
}
