// The mailbox. A mail is drawn in a frame without scripts that loads nothing.

import { html, useEffect, useRef, useState } from "../../vendor/htm-preact.js";
import { call, useJson } from "../api.js";
import { Code } from "../code.js";
import { timeOfDay } from "../format.js";
import { Empty, Head, Loaded, Time } from "../parts.js";
import { link } from "../router.js";
import { attempt } from "../session.js";
import { applyStyles, framed } from "./mail_frame.js";

const REFRESH_MS = 2_000;

export default function MailsView({ parts: [id] }) {
  const mailbox = useJson("activity/mails", { refreshMs: REFRESH_MS });
  const clear = () => attempt(async () => {
    await call("DELETE", "mailbox");
    mailbox.reload();
  });
  return html`
    <${Head} title="Mails"><button disabled=${!mailbox.data?.mails.length} onClick=${clear}>Empty the mailbox</button><//>
    <${Loaded} of=${mailbox}>${({ mails }) => {
      if (mails.length === 0) return html`<${Empty}>No mails yet. Mails to any address arrive here.<//>`;
      const mail = mails.find(({ messageId }) => messageId === id) ?? mails[0];
      return html`<div class="master">
        <nav class="names mails" aria-label="Mails">${mails.map(({ messageId, subject, recipients, sentAt }) => html`
          <a href=${link("mails", messageId)} aria-current=${messageId === mail.messageId ? "page" : null}>
            <span><b>${subject}</b><br /><small>${namesOf(recipients)}</small></span><small>${timeOfDay(sentAt).slice(0, 5)}</small></a>`)}</nav>
        <${Mail} key=${mail.messageId} mail=${mail} />
      </div>`;
    }}<//>`;
}

/** The recipients; of one who did not get the mail also the reason. */
const namesOf = recipients =>
  recipients.map(({ address, state }) => (state === "delivered" ? address : `${address} (${state})`)).join(", ");

function Mail({ mail }) {
  const [isText, setText] = useState(mail.html === null);
  return html`
    <section class="chosen" aria-label=${mail.subject}>
      <header class="mailhead"><h2>${mail.subject}</h2>
        <p class="muted">from ${mail.from} to ${namesOf(mail.recipients)} · <${Time} at=${mail.sentAt} withDate />
          ${mail.sentBy && html` · <a href=${link("requests", mail.sentBy, "journey")}>Journey</a>`}
          ${!mail.sentBy && mail.journey && html` · <a href=${link("invocations", mail.journey)}>Journey</a>`}</p>
        ${mail.html !== null && mail.text !== null && html`<div class="switch" role="group" aria-label="Part of the mail">
          <button aria-pressed=${String(!isText)} onClick=${() => setText(false)}>HTML</button>
          <button aria-pressed=${String(isText)} onClick=${() => setText(true)}>Text</button></div>`}
      </header>
      ${isText ? html`<div class="scroll"><${Code} text=${mail.text ?? ""} label="Text of the mail" plain /></div>` : html`<${Frame} mail=${mail} />`}
    </section>`;
}

function Frame({ mail }) {
  const frame = useRef(null);
  useEffect(() => {
    // Set by the property, because the frame's document has to begin with its own policy.
    frame.current.srcdoc = framed(mail.html);
  }, [mail.html]);
  return html`<iframe class="mailframe" ref=${frame} sandbox="allow-same-origin" title=${`Mail: ${mail.subject}`}
    onLoad=${() => applyStyles(frame.current)} />`;
}
