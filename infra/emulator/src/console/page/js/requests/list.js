// The list of requests, newest first. Only the visible rows are in the document.

import { Component, html } from "../../vendor/htm-preact.js";
import { duration, timeOfDay } from "../format.js";
import { Status } from "../parts.js";
import { progress } from "./filter.js";
import { placeOf } from "./rows.js";

const ROW = 30;
/** The height of the titles, which stay at the top. */
const TITLES_HEIGHT = 26;
const TITLES = ["Time", "Status", "Method", "Path", "Stages", "Code", "Took", "Caller"];
/** Rows above and below the visible ones that are drawn, for quick scrolling. */
const MARGIN = 6;

/**
 * Properties: `rows` (oldest first, changed in place), `version` (changes with them), `selected`
 * (an id), `onSelect(row)`, `onOpen(row)`.
 */
export class RequestList extends Component {
  state = { top: 0, height: 600 };
  pane = null;
  /** The row at the top edge and the pixels above it, while the reader is not at the newest. */
  anchor = null;

  componentDidMount() {
    this.observer = new ResizeObserver(([entry]) => this.setState({ height: entry.contentRect.height }));
    this.observer.observe(this.pane);
  }

  componentWillUnmount() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
  }

  componentDidUpdate(before) {
    if (this.anchor !== null && before.version !== this.props.version) this.keepPlace();
    const isMoved = before.selected !== this.props.selected && this.props.selected !== null;
    if (isMoved) this.reveal(this.props.selected);
  }

  /** Rows that arrive above must not move the ones that are read. */
  keepPlace() {
    const { rows } = this.props;
    const top = (rows.length - 1 - placeOf(rows, this.anchor.number)) * ROW + this.anchor.offset;
    if (Math.abs(top - this.pane.scrollTop) >= 1) this.pane.scrollTop = top;
  }

  reveal(id) {
    const place = this.placeOf(id);
    if (place === -1) return;
    const top = place * ROW;
    const { scrollTop, clientHeight } = this.pane;
    if (top < scrollTop) this.pane.scrollTop = top;
    else if (top + ROW + TITLES_HEIGHT > scrollTop + clientHeight) this.pane.scrollTop = top + ROW + TITLES_HEIGHT - clientHeight;
  }

  placeOf(id) {
    const place = this.props.rows.findLastIndex(row => row.id === id);
    return place === -1 ? -1 : this.props.rows.length - 1 - place;
  }

  /** Selects the row this far below the selected one. */
  move(by) {
    const { rows, selected, onSelect } = this.props;
    if (rows.length === 0) return;
    const here = selected === null ? -1 : this.placeOf(selected);
    const place = Math.min(rows.length - 1, Math.max(0, here === -1 ? 0 : here + by));
    onSelect(rows[rows.length - 1 - place]);
  }

  toNewest() {
    this.anchor = null;
    // Without a matching row there was no list, and its reference is an old one.
    if (this.pane !== null) this.pane.scrollTop = 0;
  }

  onScroll = () => {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      const top = this.pane.scrollTop;
      const { rows } = this.props;
      const place = Math.floor(top / ROW);
      const row = rows[rows.length - 1 - place];
      this.anchor = top < ROW / 2 || !row ? null : { number: row.number, offset: top - place * ROW };
      this.setState({ top });
    });
  };

  onKeyDown = event => {
    const page = Math.max(1, Math.floor(this.state.height / ROW) - 1);
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.move(by);
  };

  render({ rows, selected, onOpen }, { top, height }) {
    const first = Math.max(0, Math.floor(top / ROW) - MARGIN);
    const end = Math.min(rows.length, Math.ceil((top + height) / ROW) + MARGIN);
    const visible = [];
    for (let place = first; place < end; place += 1) visible.push(rows[rows.length - 1 - place]);
    const isDrawn = visible.some(row => row.id === selected);
    return html`
      <div class="pane" role="grid" tabindex="0" aria-label="Requests, newest first" aria-rowcount=${rows.length + 1}
        aria-activedescendant=${isDrawn ? `row-${selected}` : null} ref=${pane => { this.pane = pane; }}
        onScroll=${this.onScroll} onKeyDown=${this.onKeyDown}>
        <div class="row titles" role="row" aria-rowindex="1">
          ${TITLES.map((title, place) => html`<span role="columnheader" class=${`c${place}`}>${title}</span>`)}
        </div>
        <div class="space" role="rowgroup" style=${{ height: `${rows.length * ROW}px` }}>
          <div role="presentation" style=${{ transform: `translateY(${first * ROW}px)` }}>
            ${visible.map((row, place) => html`
              <${Row} row=${row} place=${first + place + 2} isSelected=${row.id === selected} onOpen=${onOpen} />`)}
          </div>
        </div>
      </div>`;
  }
}

/** A place in the list. It has no key: while rows arrive, texts change and no elements are made. */
class Row extends Component {
  shouldComponentUpdate({ row, place, isSelected }) {
    return row !== this.props.row || place !== this.props.place || isSelected !== this.props.isSelected;
  }

  render({ row, place, isSelected, onOpen }) {
    return html`
      <div class=${isSelected ? "row selected" : "row"} role="row" id=${`row-${row.id}`} aria-rowindex=${place}
        aria-selected=${String(isSelected)} onClick=${() => onOpen(this.props.row)}>
        <span role="gridcell" class="c0">${timeOfDay(row.at)}</span>
        <span role="gridcell" class="c1"><${Status} status=${row.status} /></span>
        <span role="gridcell" class="c2">${row.method}</span>
        <span role="gridcell" class="c3" title=${row.path}>${row.path}</span>
        <span role="gridcell" class="c4"><${Strip} row=${row} /></span>
        <span role="gridcell" class="c5" title=${row.code}>${row.code}</span>
        <span role="gridcell" class="c6">${row.tookMs === null ? "" : duration(row.tookMs)}</span>
        <span role="gridcell" class="c7" title=${row.caller}>
          ${row.coldStart && html`<em title="The function's process was started for it">cold</em>`}
          ${row.replayed && html`<em title="The stored response of its idempotency key">replay</em>`}
          ${row.attempts > 1 && html`<em title="Attempts to commit">${row.attempts} tries</em>`}
          ${row.caller ?? "–"}</span>
      </div>`;
  }
}

/** Nine small fields, of which the one that refused is marked. */
function Strip({ row }) {
  const { passed, refused } = progress(row);
  if (passed === null) return html`<span class="strip unknown" title="The stage is not known" />`;
  const label = refused ? `refused at ${row.refusedAt}` : passed === 9 ? "passed all stages" : "running";
  return html`<span class=${refused ? "strip refused" : "strip"} role="img" aria-label=${label} title=${label}
    style=${{ "--passed": passed }} />`;
}
