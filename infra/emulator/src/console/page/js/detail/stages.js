// The nine boxes, and the sentence below the one that decided.

import { html, useState } from "../../vendor/htm-preact.js";
import { duration, stageIndex, STAGES } from "../format.js";
import { Shape } from "../icons.js";
import { useKeys } from "../keys.js";
import { link } from "../router.js";
import { isOneCommit } from "./commit.js";
import { scrollTo } from "./scroll.js";

/** Where a narrow box may break the name of its stage. */
const NAMES = {
  authentication: "Authen\u00adti\u00adcation",
  authorization: "Author\u00adi\u00adzation",
  deserialization: "Deseri\u00adal\u00adization",
  validation: "Vali\u00addation",
  retrieval: "Retrie\u00adval",
  response: "Re\u00adsponse",
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

/** Whether a stage passed without work: a request that only reads decides and changes nothing. */
const isIdle = ({ stage, state, tookMs }) => state === "passed" && tookMs === null && ["rules", "effects"].includes(stage);

function Box({ box, place, slowest, isChosen, isFailure, onChoose }) {
  const [stage, name] = STAGES[place];
  const word = wordOf(box.state, isFailure);
  // A refusal is also counted, stored and sent; those times belong to none of the stages below it.
  const tookMs = box.state === "notReached" ? null : box.tookMs;
  const share = tookMs === null ? 0 : Math.max(0.02, tookMs / slowest);
  return html`
    <li class=${`box ${box.state}${isChosen ? " chosen" : ""}`}>
      <button aria-pressed=${String(isChosen)} title=${box.note} onClick=${onChoose}>
        <span class="top"><${Shape} state=${box.state} /><span class="place">${place + 1}</span></span>
        <span class="name">${NAMES[stage] ?? name}</span>
        <span class="word">${isIdle(box) ? "nothing to do" : word}</span>
        <span class="took">${tookMs === null ? "" : duration(tookMs)}</span>
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
      ${rule?.cause && !rule.cause.endsWith(rule.message) && html`<details><summary>Causes</summary><pre>${rule.cause}</pre></details>`}
      ${box.state !== "notReached" && html`<button class="link" onClick=${() => scrollTo(PART_OF[stage])}>Show ${PART_OF[stage]}</button>`}
    </div>`;
}

/** The sentence of a request that passed all stages. */
function Summary({ request }) {
  const { commit, stages, deferred, invocation } = request;
  if (stages.every(({ state }) => state === "notReached")) return null;
  const done = commit?.attempts.findLast(({ outcome }) => outcome === "committed");
  const writes = done?.writes.filter(({ kind }) => kind === "state").length ?? 0;
  const events = done?.writes.filter(({ event }) => event !== null).map(({ event }) => event) ?? [];
  const failed = deferred.filter(work => work.failed !== null).length;
  const reached = stages.findLastIndex(({ state }) => state === "passed");
  const sentences = [
    stageIndex("response") === reached ? `All stages passed in ${duration(request.tookMs)}.` : "",
    request.coldStart && invocation?.waitedMs ? `${duration(invocation.waitedMs)} of it was the cold start.` : "",
    request.replayed ? "The response is the stored one of the first request with this idempotency key." : "",
    done ? `The commit changed ${writes} item${writes === 1 ? "" : "s"}${commit.attempts.length > 1 && isOneCommit(commit) ? ` at attempt ${commit.attempts.length}` : ""}.` : "",
    failed > 0 ? `${failed} of ${deferred.length} deferred tasks failed.` : "",
  ].filter(Boolean);
  return html`
    <p class="summary">${sentences.join(" ")}
      ${events.length > 0 && html` <a href=${link("requests", request.id, "journey")}>Follow ${events.join(", ")} →</a>`}</p>`;
}
