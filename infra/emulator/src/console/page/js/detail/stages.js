// The nine boxes, and the sentence below the one that decided.

import { html, useState } from "../../vendor/htm-preact.js";
import { duration, stageIndex, STAGES } from "../format.js";
import { Shape } from "../icons.js";
import { useKeys } from "../keys.js";
import { link } from "../router.js";
import { scrollTo } from "./scroll.js";

/** Where a narrow box may break the name of its stage. */
const NAMES = {
  authentication: "Authenti\u00adcation",
  authorization: "Authori\u00adzation",
  deserialization: "Deserial\u00adization",
};

const NOT_REACHED = "The request ended before this stage.";

/** The part of the page with a stage's facts. */
const PART_OF = {
  routing: "input",
  authentication: "verdicts",
  authorization: "verdicts",
  deserialization: "input",
  validation: "input",
  retrieval: "facts",
  rules: "facts",
  effects: "commit",
  response: "answer",
};

/** @param {{request: import("../types.js").RequestDetail}} properties */
export function Stages({ request }) {
  const decisive = request.stages.findIndex(({ state }) => state !== "passed" && state !== "notReached");
  const [chosen, choose] = useState(null);
  const here = chosen ?? (decisive === -1 ? null : decisive);
  const slowest = Math.max(1, ...request.stages.map(({ tookMs }) => tookMs ?? 0));
  useKeys(2, Object.fromEntries(STAGES.map((_, place) => [String(place + 1), () => choose(place)])));
  return html`
    <section class="stages" aria-label="Stages">
      <ol>${request.stages.map((box, place) => html`
        <${Box} box=${box} place=${place} slowest=${slowest} isChosen=${place === here} isFailure=${request.status >= 500}
          onChoose=${() => choose(chosen === place ? null : place)} />`)}</ol>
      <div class="reason-row" aria-live="polite">
        ${here === null ? html`<${Summary} request=${request} />` : html`<${Reason} request=${request} place=${here} />`}
      </div>
    </section>`;
}

/** The word for a state. A refusal that is not the client's is a failure. */
const wordOf = (state, isFailure) =>
  state === "notReached" ? "not reached" : state === "refused" && isFailure ? "failed" : state;

function Box({ box, place, slowest, isChosen, isFailure, onChoose }) {
  const [stage, name] = STAGES[place];
  const word = wordOf(box.state, isFailure);
  const share = box.tookMs === null ? 0 : Math.max(0.02, box.tookMs / slowest);
  return html`
    <li class=${`box ${box.state}${isChosen ? " chosen" : ""}`}>
      <button aria-pressed=${String(isChosen)} title=${box.note} onClick=${onChoose}>
        <span class="top"><${Shape} state=${box.state} /><span class="place">${place + 1}</span></span>
        <span class="name">${NAMES[stage] ?? name}</span>
        <span class="word">${word}</span>
        <span class="took">${box.tookMs === null ? "" : duration(box.tookMs)}</span>
        <span class="bar"><i style=${{ width: `${share * 100}%` }} /></span>
      </button>
    </li>`;
}

function Reason({ request, place }) {
  const box = request.stages[place];
  const [stage, name] = STAGES[place];
  const isDecisive = box.state === "refused" || box.state === "interrupted";
  const rule = request.rule?.stage === stage ? request.rule : null;
  const missing = isDecisive ? request.permissions.filter(({ allowed }) => !allowed) : [];
  const decided = request.verdicts.filter(verdict => verdict.stage === stage).map(({ reason }) => reason).join(" ");
  const sentence = box.note ?? rule?.message ?? (decided || (box.state === "notReached" ? NOT_REACHED : `${name} ${box.state}.`));
  return html`
    <div class=${`reason ${box.state}`} style=${{ "--place": place }}>
      <p><${Shape} state=${box.state} /><span>${rule && html`<code class="errorcode">${rule.code}</code> `}${sentence}</span></p>
      ${isDecisive && request.fieldErrors.length > 0 && html`
        <ul class="fields">${request.fieldErrors.slice(0, 5).map(({ field, message }) => html`<li><code>${field}</code> ${message}</li>`)}</ul>`}
      ${missing.map(({ action, resource }) => html`
        <p class="missing">The function's policy does not allow <code>${action}</code> on <code>${resource}</code>.</p>`)}
      ${rule?.cause && html`<details><summary>Causes</summary><pre>${rule.cause}</pre></details>`}
      ${box.state !== "notReached" && html`<button class="link" onClick=${() => scrollTo(PART_OF[stage])}>Show ${PART_OF[stage]}</button>`}
    </div>`;
}

/** The sentence of a request that passed all stages. */
function Summary({ request }) {
  const { commit, stages, deferred } = request;
  if (stages.every(({ state }) => state === "notReached")) return null;
  const done = commit?.attempts.findLast(({ outcome }) => outcome === "committed");
  const writes = done?.writes.filter(({ kind }) => kind === "state").length ?? 0;
  const events = done?.writes.filter(({ event }) => event !== null).map(({ event }) => event) ?? [];
  const failed = deferred.filter(work => work.failed !== null).length;
  const reached = stages.findLastIndex(({ state }) => state === "passed");
  const sentences = [
    stageIndex("response") === reached ? `All stages passed in ${duration(request.tookMs)}.` : "",
    done ? `The commit changed ${writes} item${writes === 1 ? "" : "s"}${commit.attempts.length > 1 ? ` at attempt ${commit.attempts.length}` : ""}.` : "",
    failed > 0 ? `${failed} of ${deferred.length} deferred tasks failed.` : "",
  ].filter(Boolean);
  return html`
    <p class="summary">${sentences.join(" ")}
      ${events.length > 0 && html` <a href=${link("requests", request.id, "journey")}>Follow ${events.join(", ")} →</a>`}</p>`;
}
