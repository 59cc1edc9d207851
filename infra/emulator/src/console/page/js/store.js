// A value with listeners, and the hook that draws a component again when the value changes.

import { useEffect, useState } from "../vendor/htm-preact.js";

/**
 * @template T
 * @param {T} value
 */
export function createStore(value) {
  const listeners = new Set();
  return {
    get: () => value,
    /** @param {T} next */
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    /** Returns the function that ends the subscription. */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The store's value; the component is drawn again when it changes. */
export function useStore(store) {
  const [value, setValue] = useState(store.get());
  useEffect(() => {
    setValue(store.get());
    return store.subscribe(setValue);
  }, [store]);
  return value;
}

/** A store whose value is a text that outlives the page. */
export function storedText(name, initial) {
  const store = createStore(localStorage.getItem(name) ?? initial);
  store.subscribe(value => localStorage.setItem(name, value));
  return store;
}
