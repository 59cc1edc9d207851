//! A request for people to copy: without secrets, and without headers that each client sets.

use bytes::Bytes;
use serde_json::Value;

use crate::activity::redaction::{MASK, Redaction, layout};
use crate::activity::view::OriginalRequest;

/// The marks around the number of a placeholder. Both are for private use in Unicode.
const BEGIN: char = '\u{e0f0}';
const END: char = '\u{e0f1}';

/// Headers that each client sets itself, or that only the platform has added.
const LEFT_OUT: [&str; 20] = [
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "pragma",
    "proxy-connection",
    "referer",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
    "x-console-account",
    "x-console-client",
];

/// Beginnings of such names.
const LEFT_OUT_BEGINNINGS: [&str; 2] = ["sec-", "x-forwarded-"];

/// A request to copy. Texts have [marks](parts) in the place of secrets.
pub(super) struct Shown {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
    /// The names of the secrets in upper case, such as `TOKEN`, by their number.
    pub(super) secrets: Vec<String>,
}

/// The body of a request to copy.
pub(super) enum Body {
    None,
    Json {
        /// The document as it was written.
        text: String,
        /// Its value; `None` if it has repeated members or numbers that a value would cut.
        value: Option<Value>,
    },
    Text(String),
    /// So many bytes that are not text.
    Bytes(usize),
}

/// A part of a text with marks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    /// The number of a secret.
    Secret(usize),
}

impl Shown {
    /// The request for people.
    pub(super) fn of(redaction: &Redaction, original: &OriginalRequest) -> Self {
        let mut secrets = Secrets::default();
        let path = secrets.in_path(&redaction.path(&without_marks(&original.path)));
        let headers = original.headers.iter().filter(|(name, _)| is_shown(name));
        let headers = headers.map(|(name, value)| {
            let redacted = redaction.header(name, &without_marks(value));
            (name.to_ascii_lowercase(), secrets.in_header(name, value, &redacted))
        });
        let headers = headers.collect();
        let media_type =
            original.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let media_type = media_type.map(|(_, value)| value.as_str());
        let body = secrets.in_body(redaction, media_type, &original.body);
        Self { method: original.method.clone(), path, headers, body, secrets: secrets.names }
    }

    /// A request for tests.
    #[cfg(test)]
    pub(super) fn sample(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let original = OriginalRequest {
            api: "Api".to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers.collect(),
            body: Bytes::from(body.to_owned()),
        };
        Self::of(&Redaction::new(), &original)
    }

    /// The value of a header that the request has once.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }
}

/// The names of the secrets so far.
#[derive(Default)]
struct Secrets {
    names: Vec<String>,
}

impl Secrets {
    /// A mark for a secret of this name.
    fn mark(&mut self, name: &str) -> String {
        let name: String = name
            .chars()
            .map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_uppercase() } else { '_' })
            .take(40)
            .collect();
        let name = name.trim_matches('_');
        let is_name = name.starts_with(|it: char| it.is_ascii_uppercase());
        let name = if is_name { name } else { "SECRET" };
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let name = names.find(|name| !self.names.contains(name));
        self.names.push(name.unwrap_or_default());
        format!("{BEGIN}{}{END}", self.names.len() - 1)
    }

    /// Marks in the place of [`MASK`].
    fn marked(&mut self, text: &str, name: &str) -> String {
        let mut parts = text.split(MASK);
        let mut marked = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            marked.push_str(&self.mark(name));
            marked.push_str(part);
        }
        marked
    }

    /// Marks in a path with its query, named by the parameters.
    fn in_path(&mut self, path: &str) -> String {
        let mut marked = String::with_capacity(path.len());
        for part in path.split_inclusive(['/', '?', '&']) {
            let name = part.split_once('=').map_or("PATH_TOKEN", |(name, _)| name);
            marked.push_str(&self.marked(part, name));
        }
        marked
    }

    fn in_header(&mut self, name: &str, original: &str, redacted: &str) -> String {
        let scheme = original.split_once(' ').map(|(scheme, _)| scheme);
        match scheme {
            Some(scheme @ ("Bearer" | "bearer" | "Basic" | "basic")) if redacted == MASK => {
                let name =
                    if scheme.eq_ignore_ascii_case("bearer") { "TOKEN" } else { "CREDENTIALS" };
                format!("{scheme} {}", self.mark(name))
            }
            _ => self.marked(redacted, name),
        }
    }

    fn in_body(&mut self, redaction: &Redaction, media_type: Option<&str>, body: &Bytes) -> Body {
        if body.is_empty() {
            return Body::None;
        }
        let Ok(text) = str::from_utf8(body) else { return Body::Bytes(body.len()) };
        let text = without_marks(text);
        let document = layout::read(&text).filter(|it| it.is_object() || it.is_array());
        if let Some(document) = document {
            let value = self.in_json(redaction.json(document), "SECRET");
            // There is no such text if the name of a member is hidden.
            let written = layout::replaced(&text, &value);
            let shown = written.unwrap_or_else(|| value.to_string());
            let value = layout::is_exact(&text).then_some(value);
            return Body::Json { text: shown, value };
        }
        let media_type = media_type.unwrap_or_default().to_ascii_lowercase();
        if media_type.starts_with("application/x-www-form-urlencoded") {
            let redacted = redaction.path(&format!("?{text}")).split_off(1);
            return Body::Text(self.in_path(&redacted));
        }
        Body::Text(self.marked(&redaction.plain(&text), "SECRET"))
    }

    fn in_json(&mut self, value: Value, name: &str) -> Value {
        match value {
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| {
                    let value = self.in_json(value, &name);
                    (name, value)
                });
                Value::Object(members.collect())
            }
            Value::Array(values) => {
                Value::Array(values.into_iter().map(|value| self.in_json(value, name)).collect())
            }
            Value::String(text) => Value::String(self.marked(&text, name)),
            other => other,
        }
    }
}

/// The parts of a text with marks.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let Some((number, after)) = after.split_once(END) else { break };
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        parts.extend(number.parse().ok().map(Part::Secret));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// The text without characters that would be read as marks.
fn without_marks(text: &str) -> String {
    text.replace([BEGIN, END], "\u{fffd}")
}

fn is_shown(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !LEFT_OUT.contains(&&*name) && !LEFT_OUT_BEGINNINGS.iter().any(|begin| name.starts_with(begin))
}
