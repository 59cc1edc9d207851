// The commit: each attempt with its writes, their conditions, and the items that were found instead.

import { html } from "../../vendor/htm-preact.js";
import { Code } from "../code.js";
import { duration, words } from "../format.js";
import { Shape } from "../icons.js";
import { pretty } from "../highlight.js";
import { Mark } from "./decisions.js";

const KINDS = {
  state: "state",
  idempotencyRecord: "idempotency record",
  inboxEntry: "inbox entry",
  outboxRow: "outbox row",
  counter: "counter",
};

const STATES = { committed: "passed", conditionFailed: "refused", conflict: "retrying", failed: "interrupted", running: "running" };

/** @param {{request: import("../types.js").RequestDetail}} properties */
export function Commit({ request }) {
  const { attempts, stale } = request.commit;
  return html`
    ${stale.length > 0 && html`
      <div class="stale"><p>${stale.length === 1 ? "An item had" : "Items had"} changed since it was read, so the request decided again:</p>
        <ul>${stale.map(change => html`<li><code>${change}</code></li>`)}</ul></div>`}
    ${attempts.map((attempt, place) => html`<${Attempt} attempt=${attempt} place=${place} of=${attempts.length} />`)}`;
}

function Attempt({ attempt, place, of }) {
  const { operation, outcome, writes, writeUnits, tookMs } = attempt;
  return html`
    <div class=${`attempt ${outcome}`}>
      <h3><${Shape} state=${STATES[outcome]} />${of > 1 && `Attempt ${place + 1} of ${of}: `}${words(outcome)}
        <small>${operation} · ${writes.length} write${writes.length === 1 ? "" : "s"} · ${duration(tookMs)}${writeUnits !== null && ` · ${writeUnits} units`}</small></h3>
      <table class="writes">
        <thead><tr><th>Write</th><th>Item</th><th>Condition</th><th>Held</th></tr></thead>
        <tbody>${writes.map(write => html`<${Write} write=${write} />`)}</tbody>
      </table>
    </div>`;
}

function Write({ write }) {
  const { table, kind, action, key, condition, held, found, event } = write;
  const shownFound = found === null ? null : foundFor(condition, found);
  return html`
    <tr class=${held === false ? "bad" : ""}>
      <td><b>${action}</b><span class=${`kind ${kind}`}>${KINDS[kind]}</span></td>
      <td class="wide">${table} <code>${key}</code>${event && html` <em class="event">${event}</em>`}
        <${Content} write=${write} /></td>
      <td>${condition === null ? html`<span class="muted">none</span>` : html`<code>${condition}</code>`}</td>
      <td><${Mark} isGood=${condition === null ? null : held} yes="held" no="did not hold" />
        ${shownFound !== null && html`<span class="found">found <code>${shownFound}</code></span>`}</td>
    </tr>`;
}

const Content = ({ write }) => html`
  <details><summary>${write.action === "update" ? "Changes" : write.action === "put" ? "Item" : "Content"}</summary>
    <${Code} text=${pretty(write.content)} label="Content of the write" />
    ${write.found !== null && html`<p>The item that the service compared:</p><${Code} text=${pretty(write.found)} label="Item found" />`}
  </details>`;

/** The members of the found item that the condition names: `version = 4`. */
function foundFor(condition, found) {
  if (typeof found !== "object") return pretty(found);
  const named = Object.entries(found).filter(([name]) => new RegExp(`\\b${RegExp.escape?.(name) ?? name.replace(/\W/g, "\\$&")}\\b`).test(condition ?? ""));
  if (named.length === 0) return "another item";
  return named.map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join(", ");
}
