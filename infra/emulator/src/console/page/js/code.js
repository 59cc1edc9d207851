// A text with numbered lines, colours, and messages at lines.

import { html, useState } from "../vendor/htm-preact.js";
import { parts } from "./highlight.js";
import { Shape } from "./icons.js";
import { Copy } from "./parts.js";

/** Longer texts are cut until the reader asks for all. */
const LINES_MAX = 400;
/** Lines of a text of any length that are drawn at most. */
const LINES_DRAWN_MAX = 20_000;

/**
 * @param {{text: string, label: string, marks?: Map<number, string[]>, plain?: boolean}} properties
 *   `marks` has the messages by line, from 0.
 */
export function Code({ text, label, marks, plain }) {
  const [isWhole, setWhole] = useState(false);
  const lines = text.split("\n");
  const lastMark = marks ? Math.max(-1, ...marks.keys()) : -1;
  const shown = lines.slice(0, isWhole ? LINES_DRAWN_MAX : Math.max(LINES_MAX, lastMark + 1));
  return html`
    <figure class="code">
      <${Copy} text=${text} label=${`Copy ${label}`} />
      <pre tabindex="0" aria-label=${label}><code>${shown.map((line, place) => html`
        <${Line} line=${line} plain=${plain} messages=${marks?.get(place)} />`)}</code></pre>
      ${shown.length < lines.length && html`
        <button onClick=${() => setWhole(true)}>Show all ${lines.length} lines</button>`}
    </figure>`;
}

const Line = ({ line, plain, messages }) => html`
  <span class=${messages ? "line bad" : "line"}>${plain ? line : parts(line).map(([kind, part]) =>
    kind === null ? part : html`<span class=${`t-${kind}`}>${part}</span>`)}${"\n"}</span>
  ${messages?.map(message => html`<span class="complaint"><${Shape} state="refused" />${message}${"\n"}</span>`)}`;
