// Parts that several views share.

import { html, useEffect, useRef, useState } from "../vendor/htm-preact.js";
import { everySecond, now } from "./clock.js";
import { fromNow, statusKind, timeOfDay, dateAndTime } from "./format.js";
import { Icon, Shape } from "./icons.js";
import { attempt, notify } from "./session.js";

/** A status with the shape of its kind. */
export const Status = ({ status }) => html`
  <span class=${`status ${statusKind(status)}`}>
    <${Shape} state=${statusKind(status)} />
    <span>${status ?? html`<span class="sr">running</span>…`}</span>
  </span>`;

/** A view's heading with its actions at the right. */
export const Head = ({ title, hint, children }) => html`
  <header class="head"><h1>${title}</h1>${hint && html`<p>${hint}</p>`}<div class="actions">${children}</div></header>`;

export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

/** The error of a request to the platform, and a way to try again. */
export const Problem = ({ error, retry }) => html`
  <div class="problem" role="alert"><${Shape} state="interrupted" /><span>${error.message}</span>
    ${retry && html`<button onClick=${retry}>Try again</button>`}</div>`;

/** The data of `useJson`, as soon as it is there. */
export function Loaded({ of: { data, error, reload }, children }) {
  if (data === null && error !== null) return html`<${Problem} error=${error} retry=${reload} />`;
  if (data === null) return html`<div class="loading" aria-busy="true"><i /><i /><i /></div>`;
  return html`${error && html`<${Problem} error=${error} retry=${reload} />`}${children(data)}`;
}

/** A button that copies a text. `text` may be a function that fetches it. */
export const Copy = ({ text, label, children }) => html`
  <button class="quiet" title=${label} aria-label=${children ? null : label} onClick=${event => {
    event.stopPropagation();
    attempt(() => copy(text));
  }}><${Icon} name="copy" />${children}</button>`;

export async function copy(text) {
  await navigator.clipboard.writeText(typeof text === "function" ? await text() : text);
  notify("Copied");
}

/** A time of the platform. */
export const Time = ({ at, withDate }) => html`
  <time dateTime=${at} title=${at}>${withDate ? dateAndTime(at) : timeOfDay(at)}</time>`;

/** The distance of a time from now, which counts. */
export function FromNow({ at }) {
  const [, tick] = useState(0);
  useEffect(() => everySecond(() => tick(count => count + 1)), []);
  return html`<time dateTime=${at} title=${at}>${fromNow(at, now())}</time>`;
}

/** Pairs of names and values. */
export const Pairs = ({ pairs }) => html`
  <dl class="pairs">${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

/**
 * A button with a menu. Each item is `{label, hint, action, disabled}` or `{heading}`.
 */
export function Menu({ label, icon, items, title }) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef(null);
  const close = toButton => {
    setOpen(false);
    if (toButton) root.current.querySelector("button").focus();
  };
  useEffect(() => {
    if (!isOpen) return undefined;
    root.current.querySelector("[role=menuitem]:not([aria-disabled=true])")?.focus();
    const outside = event => root.current.contains(event.target) || close(false);
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [isOpen]);
  const keys = event => {
    if (!isOpen) return;
    const all = [...root.current.querySelectorAll("[role=menuitem]")];
    const here = all.indexOf(document.activeElement);
    const next = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") close(event.key === "Escape");
    else if (next !== undefined) all[(next + all.length) % all.length].focus();
    else return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  };
  const choose = item => () => {
    if (item.disabled) return;
    close(true);
    item.action();
  };
  return html`
    <div class="menu" ref=${root} onKeyDown=${keys}>
      <button aria-haspopup="menu" aria-expanded=${String(isOpen)} title=${title} onClick=${() => setOpen(!isOpen)}>
        ${icon && html`<${Icon} name=${icon} />`}${label}<${Icon} name="chevron" />
      </button>
      ${isOpen && html`<div role="menu" aria-label=${label}>
        ${items.map(item => item.heading
          ? html`<p role="presentation">${item.heading}</p>`
          : html`<button role="menuitem" tabindex="-1" aria-disabled=${String(Boolean(item.disabled))} onClick=${choose(item)}>
              ${item.label}${item.hint && html`<small>${item.hint}</small>`}</button>`)}
      </div>`}
    </div>`;
}

/** A modal dialog. Escape and a click outside of it close it. */
export function Dialog({ title, onClose, children, wide }) {
  const dialog = useRef(null);
  useEffect(() => {
    dialog.current.showModal();
  }, []);
  return html`
    <dialog ref=${dialog} class=${wide ? "wide" : null} aria-label=${title} onClose=${onClose}
      onClick=${event => event.target === dialog.current && dialog.current.close()}>
      <div class="sheet">
        <header><h2>${title}</h2><button class="quiet" aria-label="Close" onClick=${() => dialog.current.close()}><${Icon} name="close" /></button></header>
        ${children}
      </div>
    </dialog>`;
}
