// Requests to the control address.

import { useCallback, useEffect, useRef, useState } from "../vendor/htm-preact.js";

/** The response of the control address was an error; `message` is its sentence. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * Sends a request and returns the JSON of its response, or `null` if it has no body.
 *
 * @param {string} path below the control address, without a leading slash
 */
export async function call(method, path, body) {
  const init = { method, headers: {} };
  if (body !== undefined) {
    init.body = typeof body === "string" ? body : JSON.stringify(body);
    init.headers["content-type"] = "application/json";
  }
  const text = await textOf(await send(path, init));
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    throw new ApiError(502, `${path} did not answer with JSON`);
  }
}

export const get = path => call("GET", path);

/** The text of a response, such as a curl command. */
export const getText = async path => textOf(await send(path, {}));

/** A path whose parts are escaped: ``path`activity/requests/${id}` ``. */
export const path = (texts, ...values) => String.raw({ raw: texts }, ...values.map(encodeURIComponent));

async function send(path, init) {
  try {
    return await fetch(path, init);
  } catch {
    throw new ApiError(0, "The platform does not answer. Is it still running?");
  }
}

async function textOf(response) {
  const text = await response.text();
  if (response.ok) return text;
  let reason = text;
  try {
    reason = JSON.parse(text).error ?? text;
  } catch {
    // The body is the reason as plain text.
  }
  throw new ApiError(response.status, reason || `${response.status} ${response.statusText}`);
}

/**
 * The order of requests for the same data. Each call of the result begins one, and returns a function
 * that is called once its response arrives: whether no response to a later request came before it.
 */
export function inOrder() {
  let begun = 0;
  let arrived = 0;
  return () => {
    const turn = ++begun;
    return () => {
      if (turn < arrived) return false;
      arrived = turn;
      return true;
    };
  };
}

/**
 * The JSON at a path, for a component. `refreshMs` repeats the request while the page is visible.
 * The last data stays until the next arrives, so that nothing flickers; a new path starts empty.
 * A slow response delays the next repetition, and is shown.
 */
export function useJson(path, { refreshMs } = {}) {
  const [shown, setShown] = useState({ path: null, data: null, error: null });
  const [begin] = useState(inOrder);
  const pending = useRef(0);
  const current = useRef(path);
  current.current = path;
  const load = useCallback(async () => {
    if (path === null) return;
    const isLatest = begin();
    const isNews = () => current.current === path && isLatest();
    pending.current += 1;
    try {
      const data = await get(path);
      if (isNews()) setShown({ path, data, error: null });
    } catch (error) {
      if (isNews()) {
        setShown(before => ({ path, data: before.path === path ? before.data : null, error }));
      }
    } finally {
      pending.current -= 1;
    }
  }, [path]);
  useEffect(() => {
    load();
    if (!refreshMs) return undefined;
    const timer = setInterval(() => document.hidden || pending.current > 0 || load(), refreshMs);
    return () => clearInterval(timer);
  }, [load, refreshMs]);
  const isCurrent = shown.path === path;
  return {
    data: isCurrent ? shown.data : null,
    error: isCurrent ? shown.error : null,
    reload: load,
  };
}
