// The places of the map's nodes: columns by the way of a request, rows by their neighbours. Pure.

/** @typedef {import("../types.js").PlatformMap} PlatformMap */

export const NODE = { width: 176, height: 28, gapX: 36, gapY: 6 };

/** The columns, from the left. Functions that a queue, stream or schedule starts are consumers. */
export const COLUMNS = ["Way in", "Endpoints", "State", "Messages", "Consumers", "Way out"];

/** How often rows are sorted by the rows of their neighbours, to the right and back. */
const PASSES = 4;

/**
 * @param {PlatformMap} map
 * @returns {{boxes: Map<string, {x: number, y: number, column: number}>, width: number, height: number, columns: {x: number, title: string}[]}}
 */
export function layout({ nodes, edges }) {
  const columnOf = columnsOf(nodes, edges);
  const columns = COLUMNS.map((_, column) => nodes.filter(({ id }) => columnOf.get(id) === column).map(({ id }) => id));
  const neighbours = new Map(nodes.map(({ id }) => [id, []]));
  for (const { from, to } of edges) {
    neighbours.get(from)?.push(to);
    neighbours.get(to)?.push(from);
  }
  const rank = new Map();
  const note = column => column.forEach((id, place) => rank.set(id, column.length === 1 ? 0.5 : place / (column.length - 1)));
  columns.forEach(note);
  for (let pass = 0; pass < PASSES; pass += 1) {
    const ordered = pass % 2 === 0 ? columns : columns.toReversed();
    for (const column of ordered) {
      const weight = new Map(column.map(id => [id, mean(neighbours.get(id).map(other => rank.get(other)), rank.get(id))]));
      column.sort((one, other) => weight.get(one) - weight.get(other));
      note(column);
    }
  }
  const filled = columns.map((ids, column) => ({ ids, title: COLUMNS[column], column })).filter(({ ids }) => ids.length > 0);
  const step = NODE.height + NODE.gapY;
  const height = Math.max(...filled.map(({ ids }) => ids.length)) * step;
  const boxes = new Map();
  filled.forEach(({ ids, column }, place) => {
    // A short column is spread, so that its lines stay short.
    const gap = Math.min(height / ids.length, step * 2.5);
    const top = (height - gap * ids.length) / 2 + (gap - step) / 2;
    ids.forEach((id, row) => boxes.set(id, { x: place * (NODE.width + NODE.gapX), y: top + row * gap, column }));
  });
  return {
    boxes,
    width: filled.length * (NODE.width + NODE.gapX) - NODE.gapX,
    height,
    columns: filled.map(({ title }, place) => ({ x: place * (NODE.width + NODE.gapX), title })),
  };
}

function columnsOf(nodes, edges) {
  const kinds = new Map(nodes.map(({ id, kind }) => [id, kind]));
  const consumers = new Set();
  for (const { from, to } of edges) {
    if (kinds.get(to) === "function" && ["queue", "stream", "schedule"].includes(kinds.get(from))) consumers.add(to);
  }
  const of = { api: 0, schedule: 0, table: 2, secret: 2, queue: 3, stream: 3, mail: 5, standin: 5 };
  return new Map(nodes.map(({ id, kind }) => [id, kind === "function" ? (consumers.has(id) ? 4 : 1) : of[kind] ?? 5]));
}

const mean = (ranks, otherwise) => ranks.length === 0 ? otherwise : ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;

/** The curve of an edge between the near sides of two boxes. */
export function curve(from, to) {
  const isRight = to.x >= from.x;
  const isSame = to.x === from.x;
  const x1 = from.x + (isRight ? NODE.width : 0);
  const x2 = to.x + (isRight && !isSame ? 0 : NODE.width);
  const y1 = from.y + NODE.height / 2;
  const y2 = to.y + NODE.height / 2;
  const bend = (isRight ? 1 : -1) * Math.max(18, Math.abs(x2 - x1) / 2.4);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - (isSame ? -1 : 1) * bend} ${y2} ${x2} ${y2}`;
}

/** The nodes that have the text, and all that an edge joins to them. */
export function narrowed(map, text) {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return map;
  const hits = new Set(map.nodes.filter(({ title, id }) => `${title} ${id}`.toLowerCase().includes(wanted)).map(({ id }) => id));
  const edges = map.edges.filter(({ from, to }) => hits.has(from) || hits.has(to));
  const kept = new Set([...hits, ...edges.flatMap(({ from, to }) => [from, to])]);
  return { nodes: map.nodes.filter(({ id }) => kept.has(id)), edges };
}
