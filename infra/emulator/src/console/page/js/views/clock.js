// The platform's clock: shows it, and moves it forward.

import { html, useEffect, useState } from "../../vendor/htm-preact.js";
import { call } from "../api.js";
import { everySecond, moved, now, offset, syncClock } from "../clock.js";
import { dateAndTime, span } from "../format.js";
import { Head } from "../parts.js";
import { attempt, notify } from "../session.js";
import { useStore } from "../store.js";

const STEPS = [["30 s", 30], ["5 min", 300], ["1 h", 3_600], ["1 d", 86_400], ["30 d", 2_592_000]];
const UNITS = [["seconds", 1], ["minutes", 60], ["hours", 3_600], ["days", 86_400]];

export default function ClockView() {
  const ahead = useStore(offset);
  const [, tick] = useState(0);
  const [amount, setAmount] = useState(1);
  const [unit, setUnit] = useState(3_600);
  const [isMoving, setMoving] = useState(false);
  useEffect(() => {
    syncClock();
    return everySecond(() => tick(count => count + 1));
  }, []);
  const move = async seconds => {
    setMoving(true);
    const isMoved = await attempt(async () => moved(await call("PUT", "clock", { offsetS: ahead + seconds })));
    if (isMoved) notify(`The clock is ${span(seconds)} further`);
    setMoving(false);
  };
  return html`
    <${Head} title="Clock" hint="delays, expiries and schedules follow it" />
    <div class="scroll clockview">
      <p class="bigtime"><time>${dateAndTime(now())}</time></p>
      <p class="muted">${ahead === 0 ? "It is the machine's time." : `${span(ahead)} ahead of the machine.`} It moves only forward; a restart resets it.</p>
      <div class="fieldrow" role="group" aria-label="Move forward">
        ${STEPS.map(([label, seconds]) => html`<button disabled=${isMoving} onClick=${() => move(seconds)}>+ ${label}</button>`)}</div>
      <form class="fieldrow" onSubmit=${event => { event.preventDefault(); move(Math.round(amount * unit)); }}>
        <label>Forward by<input type="number" min="1" step="any" required value=${amount} onInput=${event => setAmount(Number(event.target.value))} /></label>
        <label>Unit<select value=${unit} onChange=${event => setUnit(Number(event.target.value))}>${UNITS.map(([name, seconds]) => html`<option value=${seconds}>${name}</option>`)}</select></label>
        <button disabled=${isMoving}>${isMoving ? "Moving…" : "Move"}</button>
      </form>
    </div>`;
}
