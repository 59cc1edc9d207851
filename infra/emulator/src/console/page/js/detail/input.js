// The request as it was received, with its field errors, and the command that it was read into.

import { html } from "../../vendor/htm-preact.js";
import { Code } from "../code.js";
import { bytes } from "../format.js";
import { lineOf, linesOfPointers } from "../pointer.js";
import { Pairs } from "../parts.js";

/** @param {{request: import("../types.js").RequestDetail}} properties */
export function Input({ request }) {
  const { received, fieldErrors, input } = request;
  const { marks, elsewhere } = placed(fieldErrors, received.body);
  return html`
    <div class=${input !== null && received.body !== null ? "columns" : ""}>
      ${(received.body !== null || elsewhere.length > 0) && html`<div>
        <h3>Received${received.body !== null && html`<small>${bytes(received.bodyBytes)}</small>`}</h3>
        ${elsewhere.length > 0 && html`<ul class="fields">${elsewhere.map(({ field, message }) => html`
          <li><code>${field}</code> ${message}</li>`)}</ul>`}
        ${received.body !== null && html`<${Code} text=${received.body} label="Body of the request" marks=${marks} />`}
      </div>`}
      ${input !== null && html`<div><h3>As parsed</h3><${Code} text=${input} label="Input as parsed" /></div>`}
    </div>
    ${received.query.length > 0 && html`<h3>Query</h3><${Pairs} pairs=${received.query} />`}
    <details><summary>Headers<small>${received.headers.length}</small></summary><${Pairs} pairs=${received.headers} /></details>`;
}

/** The messages of the field errors by line of the body, and the errors of other parts. */
function placed(fieldErrors, body) {
  const marks = new Map();
  const elsewhere = [];
  const lines = body === null ? new Map() : linesOfPointers(body);
  for (const error of fieldErrors) {
    const line = error.field === "" || error.field.startsWith("/") ? lineOf(lines, error.field) : null;
    if (line === null) {
      elsewhere.push(error);
      continue;
    }
    marks.set(line, [...(marks.get(line) ?? []), `${error.field || "the body"}: ${error.message}`]);
  }
  return { marks, elsewhere };
}
