// The number of requests per second of the last minute, as bars; failures below in another colour.

import { html, useEffect, useState } from "../../vendor/htm-preact.js";
import { everySecond, now } from "../clock.js";
import { rate } from "../live.js";
import { SECONDS } from "./rate.js";

const HEIGHT = 22;
const BAR = 2;

export function Sparkline() {
  const [seconds, setSeconds] = useState(() => rate.last(now()));
  useEffect(() => everySecond(() => setSeconds(rate.last(now()))), []);
  // The current second is not over, so its number would only flicker.
  const whole = seconds.at(-2);
  const most = Math.max(4, ...seconds.map(second => second.all));
  const bars = of => seconds.map((second, place) => {
    const height = second[of] === 0 ? 0 : Math.max(1.5, (second[of] / most) * HEIGHT);
    return height === 0 ? "" : `M${place * (BAR + 1)} ${HEIGHT}v${-height.toFixed(1)}h${BAR}v${height.toFixed(1)}z`;
  }).join("");
  return html`
    <div class="rate">
      <svg role="img" width=${SECONDS * (BAR + 1)} height=${HEIGHT}
        aria-label=${`Requests per second of the last minute, at most ${most}`}>
        <path class="all" d=${bars("all")} /><path class="errors" d=${bars("errors")} />
      </svg>
      <span><b>${whole.all}</b>/s</span>
    </div>`;
}
