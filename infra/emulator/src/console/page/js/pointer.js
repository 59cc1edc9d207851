// The lines of a JSON text at which the values of JSON Pointers are. Pure functions.

/**
 * Maps each pointer (`/items/0/quantity`) to the number of its line, from 0. A text that is no JSON
 * gives the pointers up to its first error.
 *
 * @param {string} text
 * @returns {Map<string, number>}
 */
export function linesOfPointers(text) {
  const lines = new Map();
  const scanner = new Scanner(text);
  try {
    scanner.value("", lines, 0);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return lines;
}

/** The line of a pointer, or of the nearest value around it, such as the object without the field. */
export function lineOf(lines, pointer) {
  let here = pointer;
  while (!lines.has(here)) {
    const end = here.lastIndexOf("/");
    if (end < 0) return null;
    here = here.slice(0, end);
  }
  return lines.get(here);
}

/** Deeper values have no lines: a bound for hostile bodies. */
const DEPTH_MAX = 128;

class Scanner {
  constructor(text) {
    this.text = text;
    this.place = 0;
    this.line = 0;
  }

  value(pointer, lines, depth) {
    this.space();
    if (!lines.has(pointer)) lines.set(pointer, this.line);
    if (depth > DEPTH_MAX) throw new SyntaxError("too deep");
    const first = this.text[this.place];
    if (first === "{") this.members(pointer, lines, depth);
    else if (first === "[") this.elements(pointer, lines, depth);
    else if (first === '"') this.string();
    else this.match(/[-+.\w]+/y);
  }

  members(pointer, lines, depth) {
    this.list("}", () => {
      const name = this.string().replaceAll("~", "~0").replaceAll("/", "~1");
      lines.set(`${pointer}/${name}`, this.line);
      this.space();
      this.match(/:/y);
      this.value(`${pointer}/${name}`, lines, depth + 1);
    });
  }

  elements(pointer, lines, depth) {
    let index = 0;
    this.list("]", () => this.value(`${pointer}/${index++}`, lines, depth + 1));
  }

  list(end, element) {
    this.place += 1;
    this.space();
    while (this.text[this.place] !== end) {
      element();
      this.space();
      if (this.text[this.place] === end) break;
      this.match(/,/y);
      this.space();
    }
    this.place += 1;
  }

  string() {
    return JSON.parse(this.match(/"(?:[^"\\]|\\.)*"/y));
  }

  space() {
    const skipped = this.match(/\s*/y);
    for (const character of skipped) if (character === "\n") this.line += 1;
  }

  match(pattern) {
    pattern.lastIndex = this.place;
    const found = pattern.exec(this.text);
    if (!found) throw new SyntaxError(`at ${this.place}`);
    this.place = pattern.lastIndex;
    return found[0];
  }
}
