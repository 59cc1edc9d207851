// The API's documentation, whose requests are sent as a chosen account.

import { html } from "../../vendor/htm-preact.js";
import { useJson } from "../api.js";
import { Head } from "../parts.js";
import { account, client } from "../session.js";
import { useStore } from "../store.js";

export default function DocsView() {
  const chosen = useStore(account);
  const { data } = useJson("activity/accounts");
  const accounts = data?.accounts ?? [];
  const note = accounts.find(({ name }) => name === chosen)?.note;
  return html`
    <${Head} title="API docs" hint=${note || `Requests appear in the list as ${client}.`}>
      ${accounts.length > 0 && html`<label class="inline">Send as
        <select value=${chosen} onChange=${event => account.set(event.target.value)}>
          <option value="">no account</option>
          ${accounts.map(({ name, role }) => html`<option value=${name} selected=${name === chosen}>${name} (${role})</option>`)}</select></label>`}
      <a class="button" href="docs" target="_blank">In its own tab</a><//>
    <iframe class="docs" src="docs" title="The API's documentation" />`;
}
