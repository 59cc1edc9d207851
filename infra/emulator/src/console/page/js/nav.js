// The views and the state of the platform, at the left edge.

import { html } from "../vendor/htm-preact.js";
import { offset } from "./clock.js";
import { span } from "./format.js";
import { Icon, Shape } from "./icons.js";
import { connection } from "./live.js";
import { link } from "./router.js";
import { theme } from "./session.js";
import { useStore } from "./store.js";

/** The views in their groups: name, title, and the key after `g`. */
export const GROUPS = [
  [["requests", "Requests", "r"], ["map", "Map", "m"], ["charts", "Charts", "c"]],
  [["tables", "Tables", "t"], ["queues", "Queues", "q"], ["mails", "Mails", "e"], ["schedules", "Schedules", "s"], ["caches", "Caches", "a"], ["standins", "Stand-ins", "i"]],
  [["faults", "Faults", "f"], ["clock", "Clock", "k"], ["docs", "API docs", "d"]],
];

const THEMES = { system: "light", light: "dark", dark: "system" };

const CONNECTIONS = { connecting: ["running", "connecting"], open: ["passed", "live"], lost: ["interrupted", "not connected"] };

/** @param {{view: string, marks: Object<string, ?[string, string]>, onHelp: () => void}} properties
 * `marks` has a short text and its rest, for which a narrow page has no room. */
export function Nav({ view, marks, onHelp }) {
  const chosen = useStore(theme);
  const ahead = useStore(offset);
  const [shape, state] = CONNECTIONS[useStore(connection)];
  return html`
    <nav class="nav" aria-label="Views">
      ${GROUPS.map(group => html`<ul>${group.map(([name, title, key]) => html`
        <li><a href=${link(name)} aria-current=${view === name ? "page" : null} title=${`${title} (g ${key})`}>
          <${Icon} name=${name} /><span>${title}</span>
          ${marks[name] && html`<em class="badge">${marks[name][0]}<i>${marks[name][1]}</i></em>`}
          ${name === "clock" && ahead > 0 && html`<em class="badge calm">+<i>${span(ahead)}</i></em>`}</a></li>`)}</ul>`)}
      <div class="foot">
        <span class=${`connection ${shape}`} role="status" title=${state}><${Shape} state=${shape} /><span>${state}</span></span>
        <button class="quiet" title="Colours: ${chosen}" aria-label=${`Colours: ${chosen}`} onClick=${() => theme.set(THEMES[chosen])}>
          <${ThemeIcon} theme=${chosen} /></button>
        <button class="quiet" aria-label="Keys" title="Keys (?)" onClick=${onHelp}><kbd>?</kbd></button>
      </div>
    </nav>`;
}

const ThemeIcon = ({ theme }) => html`
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
    ${theme === "light" && html`<path d="M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7" />`}
    ${theme === "dark" && html`<path d="M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z" />`}
    ${theme === "system" && html`<path d="M8 2.5a5.5 5.5 0 1 0 0 11z" /><path class="solid" d="M8 2.5a5.5 5.5 0 0 1 0 11z" />`}
  </svg>`;
