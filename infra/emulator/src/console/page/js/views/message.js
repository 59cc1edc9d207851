// From a message back to the request or run that caused it: `#/messages/ID`.

import { html, useEffect } from "../../vendor/htm-preact.js";
import { path, useJson } from "../api.js";
import { Empty, Loaded } from "../parts.js";
import { go, link } from "../router.js";

export default function MessageView({ parts: [id] }) {
  const origin = useJson(id === undefined ? null : path`activity/messages/${id}`);
  useEffect(() => {
    if (origin.data === null) return;
    const { request, journey } = origin.data;
    go(request === null ? link("invocations", journey) : link("requests", request, "journey"), { replace: true });
  }, [origin.data]);
  if (id === undefined) return html`<${Empty}>An address like <code>#/messages/ID</code> leads to the request that caused the message.<//>`;
  return html`<${Loaded} of=${origin}>${() => null}<//>`;
}
