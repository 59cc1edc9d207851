// The places of a journey's nodes: time flows downwards, branches are lanes. Pure.
//
// A node that has a place keeps it while the journey grows, so that nothing jumps. New nodes go
// below their cause, in its lane. A lane belongs to one branch until that branch has ended, so that
// a branch whose next node comes late still has its place free.

/** @typedef {import("../types.js").Journey} Journey */
/** @typedef {import("../types.js").JourneyNode} JourneyNode */

export const CARD = { width: 224, height: 76, gapX: 28, gapY: 40 };

/** Kinds of nodes that cause nothing further. */
const ENDS = new Set(["authorizer", "mail", "upstream", "deadLetter"]);

export class Layout {
  constructor() {
    /** @type {Map<string, {lane: number, row: number}>} */
    this.places = new Map();
    /** The last node of each lane, and the first free row. @type {{last: JourneyNode, end: number}[]} */
    this.lanes = [];
  }

  /**
   * Gives places to the nodes that have none yet.
   *
   * @param {Journey} journey
   */
  update(journey) {
    const causes = causesOf(journey);
    for (const node of inOrder(journey, causes)) {
      if (!this.places.has(node.id)) this.#place(node, causes);
    }
  }

  #place(node, causes) {
    const placed = (causes.get(node.id) ?? []).filter(cause => this.places.has(cause)).map(cause => this.places.get(cause));
    const row = placed.length === 0 ? 0 : Math.max(...placed.map(place => place.row)) + 1;
    const before = ancestorsOf(node.id, causes);
    let lane = placed.length === 0 ? 0 : placed[0].lane;
    // The authorizer is at the side of the way to the function.
    if (node.kind === "authorizer") lane += 1;
    while (!this.#isFree(lane, row, before)) lane += 1;
    while (this.lanes.length < lane) this.lanes.push({ last: null, end: 0 });
    this.lanes[lane] = { last: node, end: row + 1 };
    this.places.set(node.id, { lane, row });
  }

  #isFree(lane, row, ancestors) {
    const { last, end } = this.lanes[lane] ?? { last: null, end: 0 };
    return end <= row && (last === null || ENDS.has(last.kind) || ancestors.has(last.id));
  }

  /** The rectangle of a node in pixels. */
  box(id) {
    const { lane, row } = this.places.get(id);
    return { x: lane * (CARD.width + CARD.gapX), y: row * (CARD.height + CARD.gapY) };
  }

  get width() {
    return Math.max(1, this.lanes.length) * (CARD.width + CARD.gapX) - CARD.gapX;
  }

  get height() {
    return Math.max(1, ...this.lanes.map(({ end }) => end)) * (CARD.height + CARD.gapY) - CARD.gapY;
  }

  /** The line of an edge: from the bottom of its cause to the top of its effect. */
  line({ from, to }) {
    const start = this.box(from);
    const end = this.box(to);
    const x1 = start.x + CARD.width / 2;
    const y1 = start.y + CARD.height;
    const x2 = end.x + CARD.width / 2;
    const y2 = end.y;
    const middle = y1 + CARD.gapY / 2;
    if (x1 === x2) return `M${x1} ${y1}V${y2}`;
    const side = Math.sign(x2 - x1) * Math.min(10, Math.abs(x2 - x1) / 2);
    return `M${x1} ${y1}V${middle - 10}q0 10 ${side} 10H${x2 - side}q${side} 0 ${side} 10V${y2}`;
  }
}

/** The causes of each node. */
function causesOf({ edges }) {
  const causes = new Map();
  for (const { from, to } of edges) {
    if (!causes.has(to)) causes.set(to, []);
    causes.get(to).push(from);
  }
  return causes;
}

/** All direct and indirect causes of a node. */
function ancestorsOf(id, causes) {
  const found = new Set();
  const left = [id];
  while (left.length > 0) {
    for (const cause of causes.get(left.pop()) ?? []) {
      if (found.has(cause)) continue;
      found.add(cause);
      left.push(cause);
    }
  }
  return found;
}

/**
 * The nodes with each after its causes, and else by time. A circle of causes, which a resumed
 * journey could have, ends at the node that is reached twice.
 *
 * @param {Journey} journey
 * @returns {JourneyNode[]}
 */
export function inOrder({ nodes }, causes) {
  const byId = new Map(nodes.map(node => [node.id, node]));
  const done = new Set();
  const ordered = [];
  const visit = node => {
    if (done.has(node.id)) return;
    done.add(node.id);
    for (const cause of causes.get(node.id) ?? []) if (byId.has(cause)) visit(byId.get(cause));
    ordered.push(node);
  };
  for (const node of [...nodes].sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0))) visit(node);
  return ordered;
}

/**
 * The nodes as a tree in the order of reading: each with its depth, below its first cause.
 *
 * @param {Journey} journey
 * @returns {{node: JourneyNode, depth: number}[]}
 */
export function asTree(journey) {
  const causes = causesOf(journey);
  const ordered = inOrder(journey, causes);
  const known = new Set(ordered.map(({ id }) => id));
  const effects = new Map();
  const roots = [];
  for (const node of ordered) {
    const cause = (causes.get(node.id) ?? []).find(id => known.has(id) && id !== node.id);
    if (cause === undefined) roots.push(node);
    else effects.set(cause, [...(effects.get(cause) ?? []), node]);
  }
  const rows = [];
  const walk = (node, depth) => {
    rows.push({ node, depth });
    for (const effect of effects.get(node.id) ?? []) walk(effect, depth + 1);
  };
  for (const root of roots) walk(root, 0);
  return rows;
}

/** The shares of waiting and of work in the bar of a node, 0 to 1; both 0 if neither is known. */
export function shares({ waitedMs, workedMs }) {
  const waited = Math.sqrt(waitedMs ?? 0);
  const worked = Math.sqrt(workedMs ?? 0);
  const sum = waited + worked;
  return sum === 0 ? { waited: 0, worked: 0 } : { waited: waited / sum, worked: worked / sum };
}
