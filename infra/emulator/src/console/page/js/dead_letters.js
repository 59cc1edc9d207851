// The number of messages in dead-letter queues, for the mark at the navigation.

import { useEffect, useState } from "../vendor/htm-preact.js";
import { get } from "./api.js";
import { counts } from "./live.js";
import { useStore } from "./store.js";

/** The dead letters of all queues; 0 until they are known. */
export function useDeadLetters() {
  const [queues, setQueues] = useState([]);
  const latest = useStore(counts);
  useEffect(() => {
    // The template's queues stay the same while the platform runs. Without them there is no mark.
    const read = all => setQueues(all.queues.filter(({ deadLettersOf }) => deadLettersOf.length > 0));
    get("activity/queues").then(read, () => {});
  }, []);
  return queues.reduce((sum, { name, visible }) => sum + (latest?.queues?.[name]?.visible ?? visible), 0);
}
