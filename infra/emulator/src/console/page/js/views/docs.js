// The API's documentation, whose requests are sent as a chosen account.

import { html, useEffect, useState } from "../../vendor/htm-preact.js";
import { useJson } from "../api.js";
import { Empty, Head } from "../parts.js";
import { account, client } from "../session.js";
import { useStore } from "../store.js";

export default function DocsView() {
  const chosen = useStore(account);
  const { data } = useJson("activity/accounts");
  const accounts = data?.accounts ?? [];
  const hasDocument = useHasDocument();
  const note = accounts.find(({ name }) => name === chosen)?.note;
  return html`
    <${Head} title="API docs" hint=${note || `Requests appear in the list as ${client}.`}>
      ${accounts.length > 0 && html`<label class="inline">Send as
        <select value=${chosen} onChange=${event => account.set(event.target.value)}>
          <option value="">no account</option>
          ${accounts.map(({ name, role }) => html`<option value=${name} selected=${name === chosen}>${name} (${role})</option>`)}</select></label>`}
      <a class="button" href="docs" target="_blank">In its own tab</a><//>
    ${hasDocument
      ? html`<iframe class="docs" src="docs" title="The API's documentation" />`
      : html`<${Empty}>The service names no OpenAPI document. <code>cargo lifecycle openapi --document openapi.json</code> writes
          one, and the option <code>--openapi openapi.json</code> shows it here.<//>`}`;
}

/** Whether the platform has an OpenAPI document. */
function useHasDocument() {
  const [has, setHas] = useState(true);
  useEffect(() => {
    fetch("openapi.json", { method: "HEAD" }).then(({ status }) => setHas(status !== 404), () => {});
  }, []);
  return has;
}
