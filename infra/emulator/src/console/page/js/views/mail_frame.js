// The document of a mail for a sandboxed frame.
//
// The sandbox forbids scripts, forms and new windows. The policy forbids every load except images
// in the mail itself. The page's own policy, which the frame inherits, also forbids inline styles,
// so they are put aside in the text and applied through the object model.

const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";

/** Elements that do nothing in the frame but could mislead a reader of its source. */
const REMOVED = "script:not([data-sheet]), iframe, object, embed, link, meta, base, form, frame, frameset";

/** The HTML of the frame. */
export function framed(html) {
  const mail = new DOMParser().parseFromString(withoutStyles(html), "text/html");
  for (const element of mail.querySelectorAll(REMOVED)) element.remove();
  for (const element of mail.querySelectorAll("[data-sheet]")) element.type = "text/plain";
  // A link shows its address and leads nowhere: the frame must not load another page.
  for (const anchor of mail.querySelectorAll("[href]")) {
    anchor.title = anchor.getAttribute("href");
    anchor.removeAttribute("href");
  }
  for (const element of mail.querySelectorAll("[src]:not([src^='data:'])")) {
    element.title = `not loaded: ${element.getAttribute("src")}`;
    element.removeAttribute("src");
  }
  const policy = mail.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = POLICY;
  mail.head.prepend(policy);
  mail.documentElement.lang ||= "en";
  return `<!doctype html>${mail.documentElement.outerHTML}`;
}

/** Renames style attributes, and turns style sheets into blocks of data. */
const withoutStyles = html => html
  .replaceAll(/\sstyle\s*=/gi, " data-style=")
  .replaceAll(/<style\b[^>]*>/gi, '<script type="text/plain" data-sheet>')
  .replaceAll(/<\/style\s*>/gi, "</script>");

/** Applies the styles of a loaded frame. */
export function applyStyles(frame) {
  const mail = frame.contentDocument;
  const view = frame.contentWindow;
  if (mail === null) return;
  mail.adoptedStyleSheets = [...mail.querySelectorAll("[data-sheet]")].map(({ textContent }) => {
    const sheet = new view.CSSStyleSheet();
    // `@import` is not applied in such sheets, so they load nothing.
    sheet.replaceSync(textContent);
    return sheet;
  });
  for (const element of mail.querySelectorAll("[data-style]")) element.style.cssText = element.dataset.style;
}
