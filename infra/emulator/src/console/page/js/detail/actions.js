// Actions on a request: send it again, copy it, or make the next one fail.

import { html, useState } from "../../vendor/htm-preact.js";
import { call, getText, path, useJson } from "../api.js";
import { useKeys } from "../keys.js";
import { copy, Dialog, Menu } from "../parts.js";
import { link } from "../router.js";
import { account, attempt, client, notify } from "../session.js";
import { useStore } from "../store.js";
import { failPlaces, failNext } from "./next_fault.js";

/** Sends a request once more. `changes` are members of the body of `resend`. */
async function resend(id, changes) {
  const nothing = { idempotencyKey: "same", body: null, path: null, headers: null, account: null };
  const sent = await call("POST", path`activity/requests/${id}/resend`, { ...nothing, ...changes, client });
  notify(`Sent again: ${sent.status}`, { href: sent.id === null ? null : link("requests", sent.id), failed: sent.status >= 500 });
}

/** @param {{request: import("../types.js").RequestDetail}} properties */
export function Actions({ request }) {
  const [isEditing, setEditing] = useState(false);
  const { id } = request;
  const send = idempotencyKey => attempt(() => resend(id, { idempotencyKey }));
  useKeys(2, { r: () => { send("same"); }, e: () => setEditing(true) });
  const sendItems = [
    { label: "With the same key", hint: "r", action: () => send("same") },
    { label: "With a new key", action: () => send("new") },
    { label: "Without a key", action: () => send("none") },
    { label: "Edit and send…", hint: "e", action: () => setEditing(true) },
  ];
  const copyItems = [
    { label: "As a curl command", action: () => attempt(() => copy(() => getText(path`activity/requests/${id}/curl`))) },
    { label: "As a Rust test", action: () => attempt(() => copy(() => getText(path`activity/requests/${id}/test`))) },
    { label: "Link to this page", action: () => attempt(() => copy(location.href)) },
  ];
  return html`
    <div class="actions">
      <${Menu} label="Resend" icon="resend" items=${sendItems} title="Send the request once more" />
      <${Menu} label="Copy" icon="copy" items=${copyItems} title="Copy the request" />
      <${Menu} label="Fail next" icon="faults" items=${failItems(request)} title="The next request of this route fails at a place" />
    </div>
    ${isEditing && html`<${Editor} request=${request} onClose=${() => setEditing(false)} />`}`;
}

const failItems = request => failPlaces(request).map(place => place.at === undefined ? place : {
  ...place,
  action: () => attempt(() => failNext(request.route, place.at)),
});

/** The form of a changed request. Values that were hidden stay as they were. */
function Editor({ request, onClose }) {
  const accounts = useJson("activity/accounts").data?.accounts ?? [];
  const preferred = useStore(account);
  const [form, setForm] = useState({ path: request.path, body: request.received.body ?? "", key: "new", account: "" });
  const [problem, setProblem] = useState(null);
  const set = name => event => setForm({ ...form, [name]: event.target.value });
  const submit = async event => {
    event.preventDefault();
    try {
      await resend(request.id, {
        idempotencyKey: form.key,
        path: form.path === request.path ? null : form.path,
        body: form.body === (request.received.body ?? "") ? null : form.body,
        account: form.account || null,
      });
      onClose();
    } catch (error) {
      setProblem(error.message);
    }
  };
  return html`
    <${Dialog} title=${`Edit ${request.method}`} onClose=${onClose} wide>
      <form onSubmit=${submit}>
        <label>Path<input class="mono" value=${form.path} onInput=${set("path")} /></label>
        <label>Body<textarea class="mono" rows="14" spellcheck=${false} value=${form.body} onInput=${set("body")}
          onKeyDown=${event => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event); }} /></label>
        <p class="muted">Values shown as ••• are sent as they were.</p>
        <div class="fieldrow">
          <label>Idempotency key<select value=${form.key} onChange=${set("key")}>
            <option value="same">the same</option><option value="new">a new one</option><option value="none">none</option></select></label>
          <label>As<select value=${form.account} onChange=${set("account")}>
            <option value="">the same caller</option>
            ${accounts.map(({ name, role }) => html`<option value=${name}>${name} (${role})${name === preferred ? ", chosen" : ""}</option>`)}</select></label>
          <button class="primary" title="Ctrl+Enter in the body">Send</button>
        </div>
        ${problem && html`<p class="complaint" role="alert">${problem}</p>`}
      </form>
    <//>`;
}
