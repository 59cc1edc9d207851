// Announces arrivals to screen readers, at most twice a minute.

import { html, useEffect, useState } from "../vendor/htm-preact.js";
import { plural } from "./format.js";
import { changes, rows } from "./live.js";

const EVERY_MS = 30_000;

export function Announcer() {
  const [text, setText] = useState("");
  useEffect(() => {
    let seen = null;
    const timer = setInterval(() => {
      const newest = rows.all.at(-1)?.number ?? 0;
      if (seen !== null && newest > seen && changes.get() > 0) {
        const recent = rows.all.filter(row => row.number > seen);
        const failed = recent.filter(row => row.status >= 400).length;
        setText(`${plural(recent.length, "new request")}, ${failed} refused or failed`);
      }
      seen = newest;
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return html`<p class="sr" aria-live="polite">${text}</p>`;
}
