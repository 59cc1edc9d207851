// Small charts: rate, times, errors by route, cold against warm starts.

import { html, useEffect, useRef, useState } from "../../vendor/htm-preact.js";
import uPlot from "../../vendor/uPlot.js";
import { useJson } from "../api.js";
import { count, duration, timeOfDay } from "../format.js";
import { Head, Loaded } from "../parts.js";
import { theme } from "../session.js";
import { useStore } from "../store.js";

const REFRESH_MS = 2_000;
const HEIGHT = 190;
/** The routes with most errors that get a line. */
const ROUTES_MAX = 5;
const RANGES = [5, 10, 30, 60];

/** The stylesheet of the charts is needed only here. */
function loadStyle() {
  if (document.querySelector("link[href$='uPlot.css']") !== null) return;
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = "console/vendor/uPlot.css";
  document.head.append(sheet);
}

export default function ChartsView() {
  const [minutes, setMinutes] = useState(10);
  const charts = useJson(`activity/charts?minutes=${minutes}`, { refreshMs: REFRESH_MS });
  useEffect(loadStyle, []);
  return html`
    <${Head} title="Charts"><div class="switch" role="group" aria-label="Range">${RANGES.map(range => html`
      <button aria-pressed=${String(range === minutes)} onClick=${() => setMinutes(range)}>${range} min</button>`)}</div><//>
    <div class="scroll" tabindex="0" role="region" aria-label="Charts"><${Loaded} of=${charts}>${data => html`<${Charts} data=${data} />`}<//></div>`;
}

function Charts({ data: { from, stepS, total, byRoute } }) {
  const start = new Date(from).getTime() / 1000;
  const x = total.count.map((_, place) => start + place * stepS);
  const perSecond = list => list.map(value => value / stepS);
  const worst = Object.entries(byRoute).map(([route, { errors }]) => ({ route, errors, sum: errors.reduce((all, one) => all + one, 0) }))
    .filter(({ sum }) => sum > 0).toSorted((one, other) => other.sum - one.sum).slice(0, ROUTES_MAX);
  return html`<div class="charts">
    <${Chart} title="Requests per second" x=${x} unit=${value => value.toFixed(1)}
      series=${[["all", "--accent", perSecond(total.count)], ["errors", "--bad", perSecond(total.errors)]]} />
    <${Chart} title="Time of a request" x=${x} unit=${duration} series=${[["p50", "--good", total.p50], ["p99", "--warn", total.p99]]} />
    <${Chart} title="Errors by route" x=${x} unit=${count} none="No errors in this range."
      series=${worst.map(({ route, errors }, place) => [route, LINES[place], errors])} />
    <${Chart} title="Cold and warm starts" x=${x} unit=${count} series=${[["warm", "--accent", total.warm], ["cold", "--warn", total.cold]]} />
  </div>`;
}

/** The time of day without seconds. */
const clock = second => timeOfDay(second * 1000).slice(0, 5);

const LINES = ["--bad", "--warn", "--undo", "--accent", "--good"];

/** The colour of a property as the browser computes it, because a canvas cannot use properties. */
function colourOf(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

/** One chart. It is made once for its lines and colours, and then gets new data. */
function Chart({ title, x, series, unit, none }) {
  const root = useRef(null);
  const plot = useRef(null);
  const chosen = useStore(theme);
  const [isDark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const change = () => setDark(system.matches);
    system.addEventListener("change", change);
    return () => system.removeEventListener("change", change);
  }, []);
  const names = series.map(([name]) => name).join("\n");
  const data = [x, ...series.map(([, , values]) => values)];
  useEffect(() => {
    if (series.length === 0) return undefined;
    const axis = { stroke: colourOf("--muted"), grid: { stroke: colourOf("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    plot.current = new uPlot({
      width: root.current.clientWidth,
      height: HEIGHT,
      cursor: { sync: { key: "charts" }, y: false },
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
      axes: [{ ...axis, values: (_, seconds) => seconds.map(clock) }, { ...axis, size: 62, values: (_, values) => values.map(unit) }],
      series: [{ label: "time", value: (_, second) => (second === null ? "–" : timeOfDay(second * 1000).slice(0, 8)) }, ...series.map(([name, colour]) => ({
        label: name, stroke: colourOf(colour), width: 1.5, points: { show: false }, value: (_, value) => (value === null ? "–" : unit(value)),
      }))],
    }, data, root.current);
    const observer = new ResizeObserver(([{ contentRect }]) => plot.current.setSize({ width: contentRect.width, height: HEIGHT }));
    observer.observe(root.current);
    return () => {
      observer.disconnect();
      plot.current.destroy();
      plot.current = null;
    };
  }, [names, chosen, isDark]);
  useEffect(() => plot.current?.setData(data));
  return html`
    <figure class="chart"><figcaption>${title}</figcaption>
      ${series.length === 0 ? html`<p class="muted">${none}</p>` : html`<div ref=${root} role="img" aria-label=${`${title}: ${series.map(([name, , values]) => `${name} ${unit(values.findLast(value => value !== null) ?? 0)}`).join(", ")}`} />`}
    </figure>`;
}
