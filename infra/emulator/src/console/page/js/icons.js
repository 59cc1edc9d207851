// Small pictures, as paths of a 16 by 16 grid. They are decoration: a word has the meaning.

import { html } from "../vendor/htm-preact.js";

const PATHS = {
  requests: "M2.5 4h11M2.5 8h11M2.5 12h7",
  map: "M5.5 4.5h5M4.2 6.2l3 4.6M11.8 6.2l-3 4.6M4 2.7a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6ZM12 2.7a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6ZM8 10.5a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6Z",
  charts: "M2.5 2.5v11h11M5 10l2.5-3.5L10 8.5l3-5",
  tables: "M2.5 3.5h11v9h-11zM2.5 6.5h11M6.5 6.5v6",
  queues: "M2.5 5h3v6h-3zM6.7 5h3v6h-3zM11 8h3m-1.2-1.5L14.2 8l-1.4 1.5",
  mails: "M2.5 4h11v8h-11zM2.7 4.3 8 8.7l5.3-4.4",
  schedules: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 5v3.2l2.2 1.3",
  caches: "M2.8 4.5c0-1.1 2.3-2 5.2-2s5.2.9 5.2 2-2.3 2-5.2 2-5.2-.9-5.2-2Zm0 0v7c0 1.1 2.3 2 5.2 2s5.2-.9 5.2-2v-7M2.8 8c0 1.1 2.3 2 5.2 2s5.2-.9 5.2-2",
  standins: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01",
  faults: "M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z",
  clock: "M5 2h6M5 14h6M5.5 2c0 3.5 5 4 5 6s-5 2.5-5 6M10.5 2c0 3.5-5 4-5 6s5 2.5 5 6",
  docs: "M3.5 2.5h6l3 3v8h-9zM9.5 2.5v3h3M5.8 8.5h4.4M5.8 11h4.4",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  resend: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
  chevron: "m4.5 6.5 3.5 3.5 3.5-3.5",
  close: "m4 4 8 8m0-8-8 8",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5v9l7.5-4.5z",
  back: "M9.5 3.5 5 8l4.5 4.5",
  undo: "M6 3 3 6l3 3M3.2 6H10a3.5 3.5 0 0 1 0 7H6.5",
  request: "M2.5 8h10M9 4.5 12.5 8 9 11.5",
  authorizer: "M8 2 3.5 4v3.5c0 3 2 5.2 4.5 6.2 2.5-1 4.5-3.2 4.5-6.2V4z",
  invocation: "M5.5 2.5 2.5 8l3 5.5M10.5 2.5l3 5.5-3 5.5",
  row: "M2.5 5h11v6h-11zM6 5v6",
  message: "M2.5 3.5h11v7H7l-3 2.5v-2.5H2.5z",
  deadLetter: "M8 2.2 14 13H2zM8 6.5v3M8 11.3h.01",
  mail: "M2.5 4h11v8h-11zM2.7 4.3 8 8.7l5.3-4.4",
  upstream: "M4.5 12a2.8 2.8 0 0 1-.3-5.6 4 4 0 0 1 7.6-.6A3.2 3.2 0 0 1 11.5 12z",
  schedule: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 5v3.2l2.2 1.3",
  api: "M2.5 8h10M9 4.5 12.5 8 9 11.5",
  function: "M5.5 2.5 2.5 8l3 5.5M10.5 2.5l3 5.5-3 5.5",
  table: "M2.5 3.5h11v9h-11zM2.5 6.5h11M6.5 6.5v6",
  queue: "M2.5 5h3v6h-3zM6.7 5h3v6h-3zM11 8h3",
  stream: "M2 5.5c2-2 4-2 6 0s4 2 6 0M2 10.5c2-2 4-2 6 0s4 2 6 0",
  secret: "M6 10a3 3 0 1 1 2-5.2L13.5 8.5 12 10l-1-1-1 1-1.2-1.2A3 3 0 0 1 6 10Z",
  standin: "M2.5 3h11v4h-11zM2.5 9h11v4h-11z",
};

/** A picture of a place or an action. */
export const Icon = ({ name }) => html`
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name] ?? PATHS.requests} /></svg>`;

/** Each state has another shape, so that it is legible without colours. */
const SHAPES = {
  passed: html`<circle cx="8" cy="8" r="6.25" /><path d="m5.2 8.2 1.9 1.9 3.7-4" />`,
  refused: html`<path d="M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4L1.8 10.6V5.4z" /><path d="m5.8 5.8 4.4 4.4m0-4.4-4.4 4.4" />`,
  interrupted: html`<path d="M8 1.8 14.5 13.5h-13z" /><path d="M8 6v3.5M8 11.5h.01" />`,
  running: html`<circle class="faint" cx="8" cy="8" r="6.25" /><path d="M8 1.75A6.25 6.25 0 0 1 14.25 8" />`,
  notReached: html`<circle class="dashed" cx="8" cy="8" r="5.75" />`,
  unknown: html`<circle cx="8" cy="8" r="6.25" /><path d="M6.3 6.3a1.8 1.8 0 1 1 2.5 1.7c-.5.3-.8.6-.8 1.2M8 11.3h.01" />`,
  waiting: html`<path d="M4.5 2h7M4.5 14h7M5.2 2c0 3.4 5.6 3.6 5.6 6s-5.6 2.6-5.6 6M10.8 2c0 3.4-5.6 3.6-5.6 6s5.6 2.6 5.6 6" />`,
  retrying: html`<path d="M13.5 8A5.5 5.5 0 1 1 11.7 4M13.5 2v3.5H10" />`,
};

const SHAPE_OF = { working: "running", done: "passed", failed: "refused", ok: "passed", client: "refused", server: "interrupted" };

/** The shape of a state. Its word is next to it, or in `label` for screen readers. */
export const Shape = ({ state, label }) => html`
  <svg class=${`shape ${state}`} viewBox="0 0 16 16" role=${label ? "img" : null}
    aria-label=${label ?? null} aria-hidden=${label ? null : "true"}>
    ${SHAPES[SHAPE_OF[state] ?? state] ?? SHAPES.unknown}
  </svg>`;
