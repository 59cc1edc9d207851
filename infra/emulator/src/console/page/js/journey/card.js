// One place of a journey.

import { html } from "../../vendor/htm-preact.js";
import { now } from "../clock.js";
import { duration, fromNow } from "../format.js";
import { Icon, Shape } from "../icons.js";
import { CARD, shares } from "./layout.js";

const KINDS = {
  request: "request",
  authorizer: "authorizer",
  invocation: "function",
  row: "row of a stream",
  message: "message",
  deadLetter: "dead letter",
  mail: "mail",
  upstream: "call to another service",
  schedule: "schedule",
};

export const kindOf = node => KINDS[node.kind] ?? node.kind;

/** Waiting and working times in words: `waited 320 ms, worked 41 ms`. */
export function timesOf(node) {
  const times = [];
  if (node.waitedMs !== null) times.push(`waited ${duration(node.waitedMs)}`);
  if (node.workedMs !== null) times.push(`worked ${duration(node.workedMs)}`);
  return times.join(", ");
}

/** The number and the time of the next delivery, or `null`. */
export function nextTry(node) {
  if (node.nextTryAt === null) return null;
  const isDue = new Date(node.nextTryAt).getTime() <= now();
  return `try ${node.deliveries.length + 1} ${isDue ? "is due" : fromNow(node.nextTryAt, now())}`;
}

export function Card({ node, box, start, isHere, onOpen }) {
  const { waited, worked } = shares(node);
  const upcoming = nextTry(node);
  const state = node.state;
  const classes = `card ${state}${node.compensates ? " compensates" : ""}${isHere ? " here" : ""}`;
  return html`
    <button class=${classes} aria-disabled=${String(node.link === null)}
      title=${[node.error, node.subtitle, timesOf(node)].filter(Boolean).join("\n") || null}
      style=${{ transform: `translate(${box.x}px, ${box.y}px)`, width: `${CARD.width}px`, height: `${CARD.height}px` }}
      onClick=${() => onOpen(node)}>
      <span class="first"><${Icon} name=${node.compensates ? "undo" : node.kind} /><span class="sr">${kindOf(node)}: </span><b>${node.title}</b><${Shape} state=${state} /></span>
      <span class="second">${node.error ?? node.subtitle ?? kindOf(node)}</span>
      <span class="third">
        <span class="state">${state}</span>${node.compensates && html`<span class="undo">compensation</span>`}
        ${upcoming !== null ? html`<b class="next">${upcoming}</b>`
          : html`<span>${node.workedMs !== null ? duration(node.workedMs) : node.waitedMs !== null ? duration(node.waitedMs) : ""}</span>`}
        <${Deliveries} deliveries=${node.deliveries} />
        ${upcoming === null && html`<span class="offset">+${duration(new Date(node.at).getTime() - start)}</span>`}
      </span>
      <span class="times"><i class="waited" style=${{ width: `${waited * 100}%` }} /><i class="worked" style=${{ width: `${worked * 100}%` }} /></span>
    </button>`;
}

/** A mark for each delivery, if there was more than one. */
function Deliveries({ deliveries }) {
  if (deliveries.length < 2) return null;
  const mark = ({ succeeded }) => (succeeded === null ? "running" : succeeded ? "passed" : "refused");
  return html`<span class="deliveries" title=${`${deliveries.length} deliveries`}>${deliveries.slice(-6).map(delivery => html`<${Shape} state=${mark(delivery)} />`)}</span>`;
}
