// The queues: their counts, the messages in them without receiving them, sending and redriving.

import { html, useState } from "../../vendor/htm-preact.js";
import { call, path, useJson } from "../api.js";
import { Code } from "../code.js";
import { count, plural, words } from "../format.js";
import { Shape } from "../icons.js";
import { Dialog, Empty, FromNow, Head, Loaded, Pairs } from "../parts.js";
import { link } from "../router.js";
import { attempt, notify } from "../session.js";

const REFRESH_MS = 2_000;

export default function QueuesView({ parts: [name] }) {
  const all = useJson("activity/queues", { refreshMs: REFRESH_MS });
  return html`<div class="master">
    <${Loaded} of=${all}>${({ queues }) => html`
      <nav class="names" aria-label="Queues">${queues.map(queue => html`<${Name} queue=${queue} isHere=${queue.name === name} />`)}</nav>
      ${name === undefined
        ? html`<${Overview} queues=${queues} />`
        : html`<${Queue} key=${name} queue=${queues.find(queue => queue.name === name)} reloadAll=${all.reload} />`}`}
    <//>
  </div>`;
}

const total = ({ visible, inFlight, delayed }) => visible + inFlight + delayed;

const isDead = queue => queue.deadLettersOf.length > 0;

const Name = ({ queue, isHere }) => html`
  <a href=${link("queues", queue.name)} aria-current=${isHere ? "page" : null}>
    ${isDead(queue) && html`<${Shape} state=${total(queue) > 0 ? "refused" : "notReached"} label="dead letters" />`}
    <span>${queue.name}</span><small>${total(queue) > 0 ? count(total(queue)) : ""}</small></a>`;

const Overview = ({ queues }) => html`
  <section class="chosen" aria-label="All queues"><${Head} title="Queues" />
    <div class="scroll" tabindex="0" role="region" aria-label="Counts"><table>
      <thead><tr><th>Queue</th><th class="n">Waiting</th><th class="n">In flight</th><th class="n">Delayed</th><th>Oldest</th><th>Consumers</th><th>Dead letters go to</th></tr></thead>
      <tbody>${queues.map(queue => html`
        <tr class=${isDead(queue) && total(queue) > 0 ? "bad" : ""}>
          <td><a href=${link("queues", queue.name)}>${queue.name}</a></td>
          <td class="n">${count(queue.visible)}</td><td class="n">${count(queue.inFlight)}</td><td class="n">${count(queue.delayed)}</td>
          <td>${queue.oldestAt ? html`<${FromNow} at=${queue.oldestAt} />` : "–"}</td><td>${queue.consumers.join(", ") || "–"}</td>
          <td>${queue.deadLetterQueue ?? "–"}</td></tr>`)}</tbody></table></div></section>`;

function Queue({ queue, reloadAll }) {
  const [isSending, setSending] = useState(false);
  const messages = useJson(queue === undefined ? null : path`activity/queues/${queue.name}/messages?limit=100`, { refreshMs: REFRESH_MS });
  if (queue === undefined) return html`<${Empty}>The template has no such queue.<//>`;
  const redrive = messageId => attempt(async () => {
    const { moved, left } = await call("POST", path`activity/queues/${queue.name}/redrive`, { messageId });
    notify(`Moved ${plural(moved, "message")}${left > 0 ? `; ${left} stay, because their queue is not known` : ""}`);
    messages.reload();
    reloadAll();
  });
  const hint = isDead(queue) ? `dead letters of ${queue.deadLettersOf.join(", ")}`
    : queue.deadLetterQueue ? html`dead letters go to <a href=${link("queues", queue.deadLetterQueue)}>${queue.deadLetterQueue}</a>` : null;
  return html`
    <section class="chosen" aria-label=${queue.name}>
      <${Head} title=${queue.name} hint=${hint}>
        ${isDead(queue) && html`<button disabled=${total(queue) === 0} onClick=${() => redrive(null)}>Redrive all</button>`}
        <button onClick=${() => setSending(true)}>Send…</button><//>
      <div class="scroll" tabindex="0" role="region" aria-label="Messages">
        <${Loaded} of=${messages}>${data => data.messages.length === 0 ? html`<${Empty}>The queue is empty.<//>` : data.messages.map(message => html`
          <${Message} key=${message.messageId} message=${message} redrive=${isDead(queue) ? () => redrive(message.messageId) : null} />`)}<//>
      </div>
      ${isSending && html`<${Send} name=${queue.name} onClose=${() => { setSending(false); messages.reload(); }} />`}
    </section>`;
}

function Message({ message, redrive }) {
  const { messageId, body, attributes, receiveCount, sentAt, state, visibleAt, sentBy, journey, group } = message;
  const pairs = Object.entries(attributes ?? {}).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  return html`
    <article class="message">
      <header><span class="mark"><${Shape} state=${state === "visible" ? "waiting" : "retrying"} /><span>${words(state)}${visibleAt && html`, visible <${FromNow} at=${visibleAt} />`}</span></span>
        <span class="muted">sent <${FromNow} at=${sentAt} /> · ${receiveCount === 0 ? "never received" : `received ${plural(receiveCount, "time")}`}${group && ` · group ${group}`}</span>
        ${sentBy && html`<a href=${link("requests", sentBy, "journey")}>Journey</a>`}
        ${!sentBy && journey && html`<a href=${link("invocations", journey)}>Journey</a>`}
        ${redrive && html`<button onClick=${redrive}>Redrive</button>`}</header>
      <${Code} text=${body} label="Body of the message" />
      <details><summary>Attributes<small>${messageId}</small></summary><${Pairs} pairs=${pairs} /></details>
    </article>`;
}

function Send({ name, onClose }) {
  const [body, setBody] = useState("{}");
  const submit = async event => {
    event.preventDefault();
    if (await attempt(() => call("POST", path`queues/${name}`, body))) {
      notify(`Sent to ${name}`);
      onClose();
    }
  };
  return html`<${Dialog} title=${`Send to ${name}`} onClose=${onClose}>
    <form onSubmit=${submit}><label>Body<textarea class="mono" rows="12" spellcheck=${false} value=${body} onInput=${event => setBody(event.target.value)} /></label>
      <div class="fieldrow"><button class="primary">Send</button></div></form>
  <//>`;
}
