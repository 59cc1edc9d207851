// The journey that a message or a schedule began: `#/invocations/ID`.

import { html } from "../../vendor/htm-preact.js";
import { path } from "../api.js";
import { JourneyView } from "../journey/view.js";
import { Empty, Head } from "../parts.js";

export default function InvocationView({ parts: [id] }) {
  if (id === undefined) return html`<${Empty}>An address like <code>#/invocations/ID</code> shows a run of a function.<//>`;
  return html`<${Head} title="Journey of a run" hint=${html`<code>${id}</code>`} />
    <${JourneyView} path=${path`activity/invocations/${id}/journey`} id=${id} />`;
}
