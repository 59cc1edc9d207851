// The parts of a line of JSON, or of a value as Rust prints it, with their kinds. Pure functions.

const PART = /("(?:[^"\\]|\\.)*"?)(\s*:)?|\b(?:true|false|null|None|Some)\b|([A-Za-z_]\w*)(?=:\s|:$)|(?<![\w.-])-?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w-])|•••/g;

/**
 * @param {string} line
 * @returns {[kind: "key"|"string"|"number"|"word"|"hidden"|null, text: string][]}
 */
export function parts(line) {
  const found = [];
  let end = 0;
  for (const match of line.matchAll(PART)) {
    if (match.index > end) found.push([null, line.slice(end, match.index)]);
    const [text, string, colon, name] = match;
    if (string !== undefined) {
      const kind = colon === undefined ? "string" : "key";
      found.push([string === '"•••"' ? "hidden" : kind, string]);
      if (colon !== undefined) found.push([null, colon]);
    } else if (name !== undefined) found.push(["key", text]);
    else if (text === "•••") found.push(["hidden", text]);
    else found.push([/^[-\d]/.test(text) ? "number" : "word", text]);
    end = match.index + text.length;
  }
  if (end < line.length) found.push([null, line.slice(end)]);
  return found;
}

/** A value as indented JSON. */
export const pretty = value => JSON.stringify(value, null, 2) ?? "";
